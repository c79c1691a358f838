export { incident } from './incident';
export { lease } from './lease';
export { sweep } from './sweep';
