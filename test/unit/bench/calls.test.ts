import { parseCalls, perTurn, withReading } from '../../../bench/issue/calls';

const METRICS = `# HELP temporal_request_latency_seconds How long a call to Temporal took.
# TYPE temporal_request_latency_seconds histogram
temporal_request_latency_seconds_bucket{operation="RespondWorkflowTaskCompleted",le="0.005"} 3
temporal_request_latency_seconds_count{operation="RespondWorkflowTaskCompleted"} 7
temporal_request_latency_seconds_sum{operation="RespondWorkflowTaskCompleted"} 0.2
temporal_request_latency_seconds_count{operation="RecordActivityTaskHeartbeat"} 2
temporal_request_failure{operation="DescribeWorkflowExecution",status_code="NOT_FOUND"} 9
`;

test('the calls of a worker are read from its metrics, by their names', () => {
  expect([...parseCalls(METRICS)]).toEqual([
    ['RespondWorkflowTaskCompleted', 7],
    ['RecordActivityTaskHeartbeat', 2],
  ]);
});

test('of two readings only what was added counts, for each turn, the most first', () => {
  const before = new Map([
    ['A', 5],
    ['B', 4],
  ]);
  const after = new Map([
    ['A', 5],
    ['B', 6],
    ['C', 6],
  ]);
  expect([...perTurn(before, after, 2)]).toEqual([
    ['C', 3],
    ['B', 1],
  ]);
});

test('what the reading itself asks is not counted', () => {
  const first = new Map([
    ['Count', 1],
    ['Work', 5],
  ]);
  const second = new Map([
    ['Count', 2],
    ['Work', 5],
  ]);
  const third = new Map([
    ['Count', 3],
    ['Work', 8],
  ]);
  expect([...perTurn(withReading(first, second), third, 1)]).toEqual([['Work', 3]]);
});
