export { blocks } from './blocks';
export { bulkRevoke } from './bulk-revoke';
export { check } from './check';
export { incident } from './incident';
export { lease } from './lease';
export { sweep } from './sweep';
