import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab();
}, 60_000);

afterAll(() => lab.close());

test('a request for nothing that there is gets the documented error', async () => {
  const answer = await fetch(`${lab.url}/nowhere?x=1`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toEqual({
    success: false,
    messages: ['There is no such path here.'],
    code: 'not_found',
    request_id: answer.headers.get('x-request-id'),
  });
});
