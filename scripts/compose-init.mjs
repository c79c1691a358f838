// Writes what temporal-compose.yml needs before its first start: .env with random passwords, leasehold.yaml with a demo and one token,
// and the two files for the secrets that leasehold.yaml may refer to. Needs Node alone, so that it runs before `npm ci`.
//
//   npm run compose:init [-- --force] [-- --directory <folder>]
//
// Nothing that is there is changed, but for what .env lacks. --force makes its passwords anew and keeps the old file as .env.old.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TEMPLATE = join(ROOT, 'deploy', 'compose', 'leasehold.yaml');
/** What the containers have mounted of the checkout. */
const MOUNTED = ['compose', 'prometheus', 'grafana'].map((leaf) => join(ROOT, 'deploy', leaf));
/** In the template, where the hash of the token goes. */
const NO_HASH = `sha256:${'0'.repeat(64)}`;
const TOKEN_NAME = 'first';

const PASSWORDS = {
  POSTGRES_PASSWORD: "Temporal's database.",
  DEMO_POSTGRESQL_PASSWORD: "The demo database: Leasehold's own role.",
  DEMO_POSTGRESQL_ADMIN_PASSWORD: 'The demo database: its superuser.',
  GRAFANA_PASSWORD: "Grafana's user admin.",
};

class Refusal extends Error {}

/** 24 bytes are out of reach of guessing; nothing in base64url needs a quote anywhere. */
function makePassword() {
  return randomBytes(24).toString('base64url');
}

/** A token as `leasehold token create` makes it: 256 random bits in base 32. */
function makeToken(name) {
  const bits = [...randomBytes(32)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits
    .match(/.{1,5}/g)
    .map((each) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(each.padEnd(5, '0'), 2)]);
  return `lht.${name}.${digits.join('')}`;
}

function readOptions() {
  try {
    const options = { force: { type: 'boolean', default: false }, directory: { type: 'string', default: ROOT } };
    const { values } = parseArgs({ options });
    return { force: values.force, directory: resolve(values.directory) };
  } catch (error) {
    throw new Refusal(`${error.message.split('. ')[0]}. Allowed: --force, --directory <folder>.`);
  }
}

/** Its text; null if there is none. */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    if (error.code === 'EISDIR') throw new Refusal(`${file} is a folder: move it away, and run this again.`);
    throw new Refusal(`${file} cannot be read (${error.code}): give yourself the right to, and run this again.`);
  }
}

/** Whole or not at all, and never readable for more than the mode says. */
function write(file, text, mode) {
  const unfinished = `${file}.${process.pid}`;
  try {
    writeFileSync(unfinished, text, { mode, flag: 'wx' });
    // The umask of whoever runs this may have taken from it.
    chmodSync(unfinished, mode);
    renameSync(unfinished, file);
  } catch (error) {
    throw new Refusal(`${file} cannot be written (${error.code}): give yourself the right to, and run this again.`);
  }
}

/** What .env says a variable is, the last line of several; undefined if none does. */
function valueOf(text, name) {
  const lines = text.matchAll(new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(.*)$`, 'gm'));
  return [...lines].at(-1)?.[1].trim();
}

/** Set at the end, which counts where it stands above without a value. */
function withVariable(text, name, value, comment) {
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${before}# ${comment}\n${name}=${value}\n`;
}

/** As Compose has it, for which what follows a # is a comment. */
const isEmpty = (value) => value === undefined || /^(?:''|"")?\s*(?:#.*)?$/.test(value);

/** The same without the passwords; the old one is kept whole, for the volumes that were made with it. */
function withoutPasswords(file, text, say) {
  let kept = `${file}.old`;
  for (let number = 2; existsSync(kept); number += 1) kept = `${file}.old.${number}`;
  write(kept, text, 0o600);
  say(
    `${name(file)} gets new passwords; the old one is ${name(kept)}. Volumes that exist keep the old passwords: see docs/compose.md.`,
  );
  const names = Object.keys(PASSWORDS).join('|');
  const lines = new RegExp(`^[ \\t]*(?:export[ \\t]+)?(?:${names})[ \\t]*=.*(?:\\n|$)`, 'gm');
  const uncommented = Object.values(PASSWORDS).reduce((sofar, comment) => sofar.replace(`# ${comment}\n`, ''), text);
  return uncommented.replace(lines, '');
}

function completeEnvironment(directory, { force, profiles }, say) {
  const file = join(directory, '.env');
  const old = readIfThere(file);
  let text = old ?? '# Made by npm run compose:init. It holds passwords: keep it out of git, readable for you alone.\n';
  if (old !== null && force) text = withoutPasswords(file, old, say);
  const added = [];
  const add = (variable, value, comment) => {
    text = withVariable(text, variable, value, comment);
    added.push(variable);
  };
  for (const [variable, comment] of Object.entries(PASSWORDS)) {
    if (isEmpty(valueOf(text, variable))) add(variable, makePassword(), comment);
  }
  if (isEmpty(valueOf(text, 'COMPOSE_FILE')))
    add('COMPOSE_FILE', 'temporal-compose.yml', 'So that docker compose needs no -f.');
  if (valueOf(text, 'COMPOSE_PROFILES') === undefined) {
    add('COMPOSE_PROFILES', profiles, 'What is started besides: demo, monitoring, or both with a comma between them.');
  }
  if (added.length > 0) {
    write(file, text, 0o600);
    say(`${name(file)} was ${old === null ? 'made' : 'completed'}: ${added.join(', ')}.`);
  } else if ((statSync(file).mode & 0o077) !== 0) {
    chmodSync(file, 0o600);
    say(`${name(file)} has all that it needs. Others could read it: its mode is 0600 now.`);
  } else {
    say(`${name(file)} has all that it needs; nothing was changed.`);
  }
}

/** Answers the token; null if there is a configuration already. */
function makeConfiguration(directory, say) {
  const file = join(directory, 'leasehold.yaml');
  if (readIfThere(file) !== null) {
    say(`${name(file)} is there already; nothing was changed.`);
    return null;
  }
  const token = makeToken(TOKEN_NAME);
  const hash = createHash('sha256').update(token).digest('hex');
  // It holds no secret, and is read by the containers' user.
  write(file, readFileSync(TEMPLATE, 'utf8').replace(NO_HASH, `sha256:${hash}`), 0o644);
  say(
    `${name(file)} was made: a demo database to lease roles of, and the token "${TOKEN_NAME}", of which it keeps a hash.`,
  );
  return token;
}

function makeSecretFiles(directory, say) {
  for (const [leaf, reader] of [
    ['leasehold.env', 'the worker'],
    ['leasehold-api.env', 'the API'],
  ]) {
    const file = join(directory, leaf);
    if (readIfThere(file) !== null) continue;
    write(
      file,
      `# What leasehold.yaml refers to as env:NAME, for ${reader} alone: one NAME='value' a line. Keep it out of git.\n`,
      0o600,
    );
    say(`${name(file)} was made, empty: for the secrets of ${reader}.`);
  }
}

/** Of a folder and all in it, what a user of a container, who is neither its owner nor of its group, cannot read. */
function unreadableOf(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return (status.mode & 0o004) === 0 ? [path] : [];
  const own = (status.mode & 0o005) === 0o005 ? [] : [path];
  return [...own, ...readdirSync(path).flatMap((leaf) => unreadableOf(join(path, leaf)))];
}

/** A checkout made under a umask such as 027 would not start. Its modes are for its owner to change. */
function checkMounted(say) {
  const [first] = MOUNTED.flatMap(unreadableOf);
  if (first === undefined) return;
  say(
    `\nThe users of the containers cannot read what they have mounted (${name(first)}), and would not start. Let them, before anything else:\n`,
  );
  say(`  chmod -R o+rX ${MOUNTED.map(name).join(' ')}`);
}

function name(file) {
  return relative(process.cwd(), file) || file;
}

function main() {
  const { force, directory } = readOptions();
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Refusal(`--directory is ${JSON.stringify(directory)}, which is no folder: name one that exists.`);
  }
  const say = (line) => void process.stderr.write(`${line}\n`);
  const isNew = readIfThere(join(directory, 'leasehold.yaml')) === null;
  completeEnvironment(directory, { force, profiles: isNew ? 'demo' : '' }, say);
  makeSecretFiles(directory, say);
  const token = makeConfiguration(directory, say);
  checkMounted(say);
  say('\nStart all of it, which takes some minutes the first time, and look:\n');
  say('  docker compose up --build --detach --wait\n  docker compose ps\n');
  if (token === null) return;
  say('The token is shown this once. To lease something, run this, and what docs/compose.md says next:\n');
  process.stdout.write(`export LEASEHOLD_HOST=http://127.0.0.1:8400 LEASEHOLD_TOKEN=${token}\n`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`compose-init: ${error.message}\n`);
  process.exitCode = 2;
}
