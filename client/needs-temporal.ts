import { requirePart } from '../packaging/missing';

// Loaded before what needs them: whoever lacks the packages is told so, and not which of our files did not find one.
requirePart('temporal', 'The library over Temporal, unlike leasehold/http,');
