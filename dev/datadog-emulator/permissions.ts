/** Rights to look after keys and those who own them. The orchestrator has all of them at the start. */
export const KEY_PERMISSIONS = [
  'api_keys_read',
  'api_keys_write',
  'api_keys_delete',
  'org_app_keys_read',
  'org_app_keys_write',
  'user_app_keys',
  'service_account_write',
  'user_access_read',
] as const;

/** Rights of the kind that leased application keys are made for. A new service account has all of them. */
export const WORK_PERMISSIONS = [
  'apm_read',
  'dashboards_read',
  'dashboards_write',
  'events_read',
  'hosts_read',
  'incident_read',
  'logs_read_data',
  'metrics_read',
  'monitors_downtime',
  'monitors_read',
  'monitors_write',
  'slos_read',
  'synthetics_read',
  'timeseries_query',
  'usage_read',
] as const;

export const PERMISSIONS = [...KEY_PERMISSIONS, ...WORK_PERMISSIONS] as const;

/** What a user may do, and, as a scope, what an application key may be used for. */
export type Permission = (typeof PERMISSIONS)[number];

export function isPermission(text: unknown): text is Permission {
  return (PERMISSIONS as readonly unknown[]).includes(text);
}
