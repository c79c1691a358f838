import type { IncomingMessage } from 'node:http';
import { errorAnswer, resultAnswer } from './aws-answers';
import { createStrictness } from './aws-strictness';
import type { AwsAccount, PathScope } from './aws-strictness';
import { startFaultProxy } from './fault-proxy';
import type { Answer, Dialect, FaultProxy, FaultProxyOptions, ProviderCall } from './fault-proxy';

export interface AwsCall extends ProviderCall {
  /** IAM's or STS's action, or `<method> <path>` for everything else. */
  readonly operation: string;
  /** The user named, or else the one whose key is, or signed. */
  readonly entity: string | null;
  /** The form the call was sent with. */
  readonly parameters: URLSearchParams;
  /** Who signed it. */
  readonly accessKeyId: string | null;
}

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface AwsProxyOptions extends FaultProxyOptions<AwsCall> {
  /** Items on one page of a list. Default 2. */
  readonly pageSize?: number;
  /** Maximum session duration of every role, in seconds. Default: 43,200, the most there is. */
  readonly longestSession?: number;
  /** How full the account is. Default: what the emulator says, and there is always room. */
  readonly account?: AwsAccount;
  /** Makes the session for a web identity: with signatures on, the emulator cannot answer that unsigned call. */
  readonly webIdentity?: (parameters: URLSearchParams) => Promise<SessionCredentials>;
}

/** An AWS emulator made as strict as AWS, and as unreliable as a test wants it. */
export interface AwsProxy extends FaultProxy<AwsCall> {
  /** Replaces what was given at the start. */
  setAccount(account: AwsAccount | undefined): void;
  /** Grants everybody's rights by path, so that calls for users that do not exist are refused. Not so at the start. */
  setPathScope(scope: PathScope | undefined): void;
}

/** Starts a proxy in front of the emulator. The rules it adds know only what was made through it. */
export async function startAwsProxy(options: AwsProxyOptions): Promise<AwsProxy> {
  const strictness = createStrictness(options.pageSize ?? 2, options.longestSession ?? 43_200, options.account);
  const dialect: Dialect<AwsCall> = {
    describe: (request, body) => {
      const call = describeCall(request, body);
      const { parameters, accessKeyId } = call;
      const owner = strictness.ownerOf(parameters.get('AccessKeyId')) ?? strictness.ownerOf(accessKeyId);
      const entity = parameters.get('UserName') ?? owner;
      return { ...call, entity, at: new Date(), fault: null, status: null };
    },
    answer: async (call, forward) => {
      const refused = strictness.before(call);
      if (refused !== null) return refused;
      if (call.operation === 'AssumeRoleWithWebIdentity' && options.webIdentity !== undefined) {
        return sessionAnswer(call.operation, await options.webIdentity(call.parameters));
      }
      const given = await forward();
      return isXml(given) ? { ...given, body: strictness.after(call, given.status, given.body.toString()) } : given;
    },
    refuse: (fault) => {
      switch (fault.kind) {
        case '500-before':
        case '500-after':
          return errorAnswer(500, 'ServiceFailure', 'The request failed.');
        case 'throttle': {
          const throttled = errorAnswer(400, 'Throttling', 'Rate exceeded');
          if (fault.retryAfterSeconds === undefined) return throttled;
          return { ...throttled, headers: { ...throttled.headers, 'retry-after': String(fault.retryAfterSeconds) } };
        }
        case 'not-found':
          return errorAnswer(404, 'NoSuchEntity', 'The user cannot be found.');
        case 'error':
          return errorAnswer(fault.status ?? 400, fault.code ?? 'InvalidInput', 'The request was refused.');
      }
    },
    echo: (answer, text) =>
      isXml(answer) ? { ...answer, body: answer.body.toString().replace('</Message>', ` ${text}</Message>`) } : answer,
  };
  const proxy = await startFaultProxy(dialect, options);
  return {
    ...proxy,
    setAccount: (account) => {
      strictness.setAccount(account);
    },
    setPathScope: (scope) => {
      strictness.setPathScope(scope);
    },
  };
}

function sessionAnswer(operation: string, session: SessionCredentials): Answer {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return resultAnswer(
    operation,
    `<Credentials><AccessKeyId>${session.accessKeyId}</AccessKeyId><Expiration>${expiration}</Expiration>` +
      `<SecretAccessKey>${session.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${session.sessionToken}</SessionToken></Credentials>`,
  );
}

function describeCall(
  request: IncomingMessage,
  body: Buffer,
): Pick<AwsCall, 'operation' | 'parameters' | 'accessKeyId'> {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const parameters = new URLSearchParams(isForm ? body.toString() : '');
  const operation = parameters.get('Action') ?? `${request.method ?? ''} ${request.url ?? ''}`;
  const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? null;
  return { operation, parameters, accessKeyId };
}

/** The emulator does not always say so, but only its HTML is not XML. */
function isXml({ headers, body }: Answer): boolean {
  const text = body.toString().slice(0, 100).trimStart().toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return false;
  return text.startsWith('<') || String(headers['content-type']).includes('xml');
}
