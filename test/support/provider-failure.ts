import { IntegrationError } from '../../activities/integrations/integration';

/** What a call of an integration fails with, which must be in our words. */
export async function failureOf(act: () => Promise<unknown>): Promise<IntegrationError> {
  const error: unknown = await act().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IntegrationError);
  return error as IntegrationError;
}
