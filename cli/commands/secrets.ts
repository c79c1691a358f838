import { Command, Option } from 'commander';
import { FORMAT_NAMES } from '../../flat/format-names';
import type { FormatName } from '../../flat/format-names';
import { TRANSFORMERS } from '../../flat/transformers';
import type { Transformer } from '../../flat/transformers';
import { readNames } from '../../worker/flags';
import { placeOptions } from '../access-options';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface ShowFlags extends PlaceFlags {
  readonly plain?: boolean;
  readonly json?: boolean;
}

/** Of what leases and hands out. */
interface HandOutFlags extends PlaceFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly dynamicTtl?: string;
}

export interface DownloadFlags extends HandOutFlags {
  readonly format: FormatName;
  readonly nameTransformer?: Transformer;
  readonly onlySecrets?: readonly string[];
  readonly staticOnly?: boolean;
}

export type SubstituteFlags = HandOutFlags;

const FATE = [
  'Nobody extends these leases: they end by their TTL, and then the credentials are of no use. What is printed on standard ' +
    'error says when and names the leases. If the output cannot be written, all of them are revoked.',
  'A file is made only with --output, for its owner alone (0600), whole or not at all. leasehold run leaves none behind. ' +
    'kill -9 at the wrong instant leaves a draft named .leasehold-… beside it, which may hold what the file was to hold: remove it.',
];

/** `leasehold secrets`: secrets of a config, static and leased ones. */
export function secretsCommand(): Command {
  const command = new Command('secrets')
    .description('Shows the secrets of a config. Nothing is leased, and values are hidden unless --plain is given.')
    .enablePositionalOptions()
    .option('--plain', 'show the values of static secrets')
    .option('--json', 'print as JSON; a value that is not shown is null')
    .action(act(async (flags: ShowFlags) => (await import('../secrets/list.js')).listSecrets(flags)))
    .addCommand(getCommand())
    .addCommand(downloadCommand())
    .addCommand(substituteCommand());
  return withExamples(placeOptions(command), [
    ['leasehold secrets --project backend --config prd', 'see what there is'],
    ['leasehold secrets --plain --json', 'have the static values, for a program to read'],
  ]);
}

function getCommand(): Command {
  const command = new Command('get')
    .description('Prints static secrets. What is dynamic has a value only while it is leased: see leasehold lease.')
    .argument('<names...>', 'names of static secrets')
    .option('--plain', 'print the bare values, one after the other in the order of the names')
    .option('--json', 'print the values by name as JSON')
    .action(
      act(async (names: string[], _: unknown, command: Command) =>
        (await import('../secrets/get.js')).getSecrets(names, { ...before(command), ...command.opts<ShowFlags>() }),
      ),
    );
  return withExamples(placeOptions(command), [
    ['leasehold secrets get LOG_LEVEL', 'look at a value'],
    ['psql "$(leasehold secrets get DATABASE_URL --plain)"', 'use it in a command'],
  ]);
}

function downloadCommand(): Command {
  const command = new Command('download')
    .description('Leases all that is dynamic and prints it with the static secrets in a format for programs.')
    .addOption(new Option('--format <format>', 'how it is written').choices(FORMAT_NAMES).default('json'))
    .addOption(
      new Option(
        '--name-transformer <name>',
        'turn the names into what a program expects (default: of the format)',
      ).choices(Object.keys(TRANSFORMERS)),
    )
    .option('--only-secrets <names>', 'only these secrets and dynamic secrets, comma-separated', readNames)
    .option('--static-only', 'lease nothing: static secrets alone')
    .action(
      act(async (_: unknown, command: Command) =>
        (await import('../secrets/download.js')).downloadSecrets({
          ...before(command),
          ...command.opts<DownloadFlags>(),
        }),
      ),
    );
  return withExamples(withNotes(placeOptions(handOutOptions(command)), ...FATE), [
    ['leasehold secrets download --format env --ttl 15m', 'print shell assignments'],
    ['leasehold secrets download --format yaml --output secrets.yaml', 'write a file that its owner alone can read'],
    [
      'docker run --env-file <(leasehold secrets download --format docker) app',
      'hand them to a container without a file',
    ],
    ['leasehold secrets download --only-secrets S3_UPLOADS,LOG_LEVEL', 'lease one dynamic secret and no other'],
  ]);
}

function substituteCommand(): Command {
  const command = new Command('substitute')
    .description('Fills a template with secrets. Only the dynamic secrets that it names are leased.')
    .argument('<template>', 'a file with {{ NAME }} where a value belongs; - reads standard input')
    .action(
      act(async (file: string, _: unknown, command: Command) =>
        (await import('../secrets/substitute.js')).substitute(file, {
          ...before(command),
          ...command.opts<SubstituteFlags>(),
        }),
      ),
    );
  return withExamples(withNotes(placeOptions(handOutOptions(command)), SYNTAX, ...FATE), [
    ['leasehold secrets substitute app.conf.tmpl --output app.conf', 'write a configuration file'],
    ['leasehold secrets substitute - < app.conf.tmpl | app --config /dev/stdin', 'leave no file behind'],
  ]);
}

const SYNTAX =
  '{{ NAME }} and {{ .NAME }} are replaced by the value as it is, {{ tojson .NAME }} by a JSON string with its quotes. ' +
  '{{ "{{" }} stands for two opening braces; closing ones need nothing. A value is never read as a template.';

function handOutOptions(command: Command): Command {
  return command
    .option('-o, --output <file>', 'write a file instead of standard output')
    .option('--force', 'replace the file if it is there')
    .option('--ttl, --dynamic-ttl <duration>', "TTL of the leases, e.g. 15m (default: each dynamic secret's own)");
}

/** The options that stand before the name of a command. They must mean something to it, and its own go first. */
function before(command: Command): ShowFlags {
  const flags = command.parent?.opts<ShowFlags>() ?? {};
  const known = new Set(command.options.map((option) => option.attributeName()));
  const strange = Object.keys(flags).find((name) => !known.has(name));
  if (strange !== undefined) command.error(`error: option '--${strange}' has no meaning for '${command.name()}'`);
  return flags;
}
