// Takes out of a folder that is to be run and nothing else what no program loads: see `isNeeded`. Prints how much that was.
//
//   node scripts/prune-service.mjs <folder with node_modules and dist> [<platform>-<architecture>]
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Temporal's native library, by what Node calls the system. The image is Debian. */
const NATIVE = { 'linux-x64': 'x86_64-unknown-linux-gnu', 'linux-arm64': 'aarch64-unknown-linux-gnu' };
const THIS = `${process.platform}-${process.arch}`;

/** What programs never load: declarations and sources in TypeScript, source maps, documentation, the compiler's notes. */
const UNREAD = /\.(?:[cm]?ts|map|md|markdown|tsbuildinfo|flow)$/;
/** Legal texts stay, whatever they are written in. */
const LEGAL = /^(?:licen[cs]e|notice|copying|third.?party)/i;
/** Sources in Rust, from which that library was made. */
const RUST = /@temporalio\/core-bridge\/(?:sdk-core|src|bridge-macros|ts|Cargo\.(?:toml|lock))(?:\/|$)/;
/** Bundles workflows, which was done when the image was built. */
const BUNDLING = /(?:^|\/)node_modules\/@swc\/(?:core-[a-z]|wasm)/;
/** Starts the development stack, or measures on it, which needs what is not installed there. */
const DEVELOPMENT = /^dist\/(?:bench|dev)(?:\/|$)/;

/** Whether worker, API or command line may load a file or folder. @param path below the folder, with slashes. */
export function isNeeded(path, platform = THIS) {
  const leaf = path.slice(path.lastIndexOf('/') + 1);
  if (UNREAD.test(leaf) && !LEGAL.test(leaf)) return false;
  if (RUST.test(path) || BUNDLING.test(path) || DEVELOPMENT.test(path)) return false;
  const native = /@temporalio\/core-bridge\/releases\/([^/]+)/.exec(path)?.[1];
  return native === undefined || NATIVE[platform] === undefined || native === NATIVE[platform];
}

/** Answers how many bytes of files there were, and how many are left. */
function prune(root, platform) {
  const sum = { before: 0, after: 0 };
  const visit = (path, isKept) => {
    const at = join(root, path);
    const found = lstatSync(at);
    const isKeptToo = isKept && (path === '' || isNeeded(path, platform));
    if (found.isDirectory()) {
      for (const leaf of readdirSync(at)) visit(path === '' ? leaf : `${path}/${leaf}`, isKeptToo);
    } else {
      sum.before += found.size;
      if (isKeptToo) sum.after += found.size;
    }
    if (isKept && !isKeptToo) rmSync(at, { recursive: true });
  };
  visit('', true);
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, platform = THIS] = process.argv.slice(2);
  if (folder === undefined) throw new Error('Name the folder to take from.');
  const { before, after } = prune(folder, platform);
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  console.log(`${folder}: ${megabytes(after)} of ${megabytes(before)} are needed; the rest was taken out.`);
}
