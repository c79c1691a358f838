/** `ok`, or the HTTP status with which Datadog refused. */
export type KeyResult = string;

/** Whether Datadog honours an API key. */
export function tryApiKey(url: string, { API_KEY: key = '' }: Readonly<Record<string, string>>): Promise<KeyResult> {
  return ask(`${url}/api/v1/validate`, { 'dd-api-key': key });
}

/** Whether Datadog honours the pair of an API key and an application key. */
export function tryKeyPair(
  url: string,
  { API_KEY: key = '', APP_KEY: applicationKey = '' }: Readonly<Record<string, string>>,
): Promise<KeyResult> {
  return ask(`${url}/api/v2/validate_keys`, { 'dd-api-key': key, 'dd-application-key': applicationKey });
}

async function ask(url: string, headers: Readonly<Record<string, string>>): Promise<KeyResult> {
  const answer = await fetch(url, { headers });
  await answer.body?.cancel();
  return answer.ok ? 'ok' : `HTTP ${answer.status}`;
}
