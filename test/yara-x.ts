import { createRequire } from 'node:module';

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@litko/yara-x');
    return true;
  } catch {
    return false;
  }
}

/** The optional package that runs rules of the person's own. */
export const hasYaraX = isInstalled();

if (!hasYaraX)
  console.warn(
    'SKIPPED: YARA rules of one’s own, because @litko/yara-x is not installed (scripts/install-yara-x.sh)',
  );
