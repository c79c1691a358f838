import type { Command } from 'commander';

/** Which API, and as whom. */
export interface AccessFlags {
  readonly host?: string;
  readonly tokenFile?: string;
}

/** And in which config. */
export interface PlaceFlags extends AccessFlags {
  readonly project?: string;
  readonly config?: string;
}

/** Adds the options of {@link AccessFlags}. */
export function accessOptions(command: Command): Command {
  return command
    .option('--host <url>', 'address of the HTTP API (default: LEASEHOLD_HOST, else where you are signed in)')
    .option(
      '--token-file <file>',
      'a file with the token (default: LEASEHOLD_TOKEN, LEASEHOLD_TOKEN_FILE, else your sign-in)',
    );
}

/** Adds the options of {@link PlaceFlags}. */
export function placeOptions(command: Command): Command {
  return accessOptions(command)
    .option(
      '--project <project>',
      'the project (default: of LEASEHOLD_SCOPE=project/config, else of your sign-in, else the only one of the token)',
    )
    .option('--config <config>', 'the config (likewise)');
}
