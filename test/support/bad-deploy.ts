// The workflows of a release whose lease does not get to work at all.
export { incident } from '../../workflows/incident';
export { sweep } from '../../workflows/sweep';

export async function lease(): Promise<never> {
  throw new Error('a bad deploy');
}
