// Preloaded into a process whose peak memory a test wants to know: writes it to standard error when the process ends.
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  process.on('exit', () => {
    require('node:fs').writeSync(2, `\nmaximum resident kilobytes: ${process.resourceUsage().maxRSS}\n`);
  });
}
