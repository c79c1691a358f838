import { connectHttpLeases } from '../../client/http';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { describeLeases } from '../support/leases-contract';

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab();
}, 60_000);

afterAll(() => lab.close());

describeLeases('Temporal', () => ({
  lab,
  transport: { leases: lab.leases, holder: { given: 'tester', kept: 'library:tester' } },
}));

describeLeases('HTTP', () => ({
  lab,
  transport: {
    leases: connectHttpLeases({ url: lab.url, token: lab.tokens['ci']! }),
    holder: { given: 'token:ci', kept: 'token:ci' },
  },
}));
