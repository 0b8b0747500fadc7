import { CommanderError } from 'commander';
import { TelltaleError, toErrorFamily } from '../bytes/errors.ts';
import { toVisible } from '../report/escape.ts';
import type { ExitName } from './exit-codes.ts';
import { createProgram } from './program.ts';

/** Runs what the command line asks for. Never throws: what goes wrong is told on standard error. */
export async function run(argv: readonly string[]): Promise<ExitName> {
  let ended: ExitName = 'ok';
  const program = createProgram((name) => {
    ended = name;
  });
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    command.exitOverride();
  }
  try {
    await program.parseAsync(argv);
    return ended;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 'ok' : 'usage';
    if (error instanceof TelltaleError) {
      process.stderr.write(`telltale: ${error.message.split('\n').map(toVisible).join('\n')}\n`);
      return toErrorFamily(error.code) === 'internal' ? 'bug' : 'usage';
    }
    process.stderr.write(
      `telltale: a bug of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 'bug';
  }
}
