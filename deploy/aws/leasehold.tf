# What Leasehold needs of an AWS account to lease IAM users: the permissions boundary that caps them, and the role that makes and
# removes them. See docs/integrations/aws-iam.md for the reasons.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "trusted_principal" {
  description = "ARN of the role or user that Leasehold's workers run as. It may assume the orchestrator's role."
  type        = string
}

variable "name_prefix" {
  description = "As name_prefix of the integration."
  type        = string
  default     = "leasehold"
}

variable "user_path" {
  description = "As path of the integration: begins and ends with /."
  type        = string
  default     = "/leasehold/"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  iam = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}"
}

resource "aws_iam_policy" "boundary" {
  name        = "lease-boundary"
  description = "Caps what a leased user may do, whatever its own policies say."
  policy      = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        { "Sid": "WhateverTheLeaseGrants", "Effect": "Allow", "Action": "*", "Resource": "*" },
        {
          "Sid": "NothingThatOutlivesTheLease",
          "Effect": "Deny",
          "Action": [
            "sts:AssumeRole*",
            "sts:AssumeRoot",
            "sts:GetFederationToken",
            "sts:GetSessionToken",
            "sts:GetWebIdentityToken",
            "iam:*"
          ],
          "Resource": "*"
        }
      ]
    }
  JSON
}

resource "aws_iam_role" "orchestrator" {
  name               = "leasehold-orchestrator"
  description        = "Makes and removes leased users."
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "${var.trusted_principal}" }, "Action": "sts:AssumeRole" }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "lease_users" {
  name   = "lease-users"
  role   = aws_iam_role.orchestrator.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "CreateUsersOnlyUnderTheBoundary",
          "Effect": "Allow",
          "Action": "iam:CreateUser",
          "Resource": "${local.iam}:user${var.user_path}*",
          "Condition": {
            "StringEquals": {
              "iam:PermissionsBoundary": "${aws_iam_policy.boundary.arn}",
              "aws:RequestTag/managed-by": "leasehold"
            }
          }
        },
        {
          "Sid": "AttachWhatIsMeantForLeases",
          "Effect": "Allow",
          "Action": "iam:AttachUserPolicy",
          "Resource": "${local.iam}:user${var.user_path}*",
          "Condition": {
            "StringEquals": { "iam:PermissionsBoundary": "${aws_iam_policy.boundary.arn}" },
            "ArnLike": { "iam:PolicyARN": ["${local.iam}:policy/leasable/*"] }
          }
        },
        {
          "Sid": "GrantInlineOnlyUnderTheBoundary",
          "Effect": "Allow",
          "Action": "iam:PutUserPolicy",
          "Resource": "${local.iam}:user${var.user_path}*",
          "Condition": {
            "StringEquals": { "iam:PermissionsBoundary": "${aws_iam_policy.boundary.arn}" }
          }
        },
        {
          "Sid": "GroupsMeantForLeases",
          "Effect": "Allow",
          "Action": ["iam:AddUserToGroup", "iam:RemoveUserFromGroup"],
          "Resource": "${local.iam}:group/leasable/*"
        },
        {
          "Sid": "KeysMarksAndRemoval",
          "Effect": "Allow",
          "Action": [
            "iam:TagUser",
            "iam:GetUser",
            "iam:CreateAccessKey",
            "iam:ListAccessKeys",
            "iam:DeleteAccessKey",
            "iam:ListGroupsForUser",
            "iam:ListAttachedUserPolicies",
            "iam:DetachUserPolicy",
            "iam:ListUserPolicies",
            "iam:DeleteUserPolicy",
            "iam:DeleteLoginProfile",
            "iam:ListServiceSpecificCredentials",
            "iam:DeleteServiceSpecificCredential",
            "iam:ListSSHPublicKeys",
            "iam:DeleteSSHPublicKey",
            "iam:ListSigningCertificates",
            "iam:DeleteSigningCertificate",
            "iam:ListMFADevices",
            "iam:DeactivateMFADevice",
            "iam:DeleteUser"
          ],
          "Resource": [
            "${local.iam}:user${var.user_path}*",
            "${local.iam}:user/${var.name_prefix}-????????-????????????????????????"
          ]
        },
        {
          "Sid": "VirtualMfaDevices",
          "Effect": "Allow",
          "Action": "iam:DeleteVirtualMFADevice",
          "Resource": "${local.iam}:mfa/*"
        },
        {
          "Sid": "SweepQuotaAndRenamedUsers",
          "Effect": "Allow",
          "Action": ["iam:ListUsers", "iam:GetAccountSummary", "iam:GetAccessKeyLastUsed"],
          "Resource": "*"
        }
      ]
    }
  JSON
}

output "permissions_boundary" {
  description = "As permissions_boundary of the integration."
  value       = aws_iam_policy.boundary.arn
}

output "orchestrator_role" {
  description = "As credentials.assume_role.role_arn of the integration."
  value       = aws_iam_role.orchestrator.arn
}
