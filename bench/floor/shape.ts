import type { Handle, LeaseInput } from '../../workflows/contract';

// What the floor's client, workflows and worker have in common. Loaded in the sandbox of workflows too.

/** What the floor's worker writes when it takes work. */
export const READY = 'The floor is ready.';

export const FLOOR_WORKFLOW = 'floor';
/** Of the workflows and their local activities. */
export const FLOOR_QUEUE = 'floor';
export const FLOOR_MAKE_QUEUE = 'floor/make';
export const FLOOR_REMOVE_QUEUE = 'floor/remove';
/** What the activity answers: about as long as a sealed credential with its facts. */
export const ANSWER_BYTES = 500;

/** What a run does beside starting, one activity, an answer, a sleep and one more activity. Each is a part of a lease. */
export interface Shape {
  /** Both activities run in the process of the workflow. */
  readonly local?: boolean;
  /** A local activity before: the plan. */
  readonly plan?: boolean;
  /** A local activity after, and one at the end: the audit lines. */
  readonly record?: boolean;
  /** A patch, and the search attributes that a lease changes. */
  readonly upserts?: boolean;
  /** The expiry, the watch over the removal, and the time-outs of both activities. */
  readonly timers?: boolean;
  /** A whole request, search attributes, summary and details at the start, and the details as the run goes on. */
  readonly described?: boolean;
  /** What workers ask Temporal meanwhile: the blocks, and before each change whether the attempt is still valid. */
  readonly asks?: boolean;
}

/** One row of the ladder. */
export interface Variant {
  readonly name: string;
  readonly shape: Shape;
}

/** The floor: an activity on a queue of its own, and nothing else. */
export const FLOOR: Variant = { name: 'floor: an activity', shape: {} };

/** From less than the floor to all that a lease does, but for the provider and the sealing. Each has what those before it have. */
export const LADDER: readonly Variant[] = [
  { name: 'floor: a local activity instead', shape: { local: true } },
  FLOOR,
  { name: '+ plan', shape: { plan: true } },
  { name: '+ audit line', shape: { plan: true, record: true } },
  { name: '+ patch and upserts', shape: { plan: true, record: true, upserts: true } },
  { name: '+ timers and time-outs', shape: { plan: true, record: true, upserts: true, timers: true } },
  {
    name: '+ attributes and details',
    shape: { plan: true, record: true, upserts: true, timers: true, described: true },
  },
  {
    name: '+ questions to Temporal',
    shape: { plan: true, record: true, upserts: true, timers: true, described: true, asks: true },
  },
];

/** All that a lease does but for the provider and the sealing. */
export const WHOLE_SHAPE: Variant = LADDER.at(-1) ?? FLOOR;

/** As long as what a plan answers. */
export interface FloorPlan {
  readonly integration: string;
  readonly entity: string;
  readonly handle: Handle;
}

export interface FloorInput {
  readonly leaseId: string;
  readonly shape: Shape;
  readonly request?: LeaseInput;
}

export interface MakeInput extends FloorInput {
  readonly plan: FloorPlan | null;
}

/** In the process of the workflow. */
export interface NearActivities {
  plan(input: FloorInput): Promise<FloorPlan>;
  record(line: Readonly<Record<string, string | null>>): Promise<void>;
  make(input: MakeInput): Promise<string>;
  remove(input: MakeInput): Promise<void>;
}

/** On queues of their own. */
export type FarActivities = Pick<NearActivities, 'make' | 'remove'>;
