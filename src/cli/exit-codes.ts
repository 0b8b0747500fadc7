/** Every way in which the program ends. The README's table is generated from this one. */
export const exitCodes = {
  ok: {
    code: 0,
    meaning: 'nothing speaks against the policy, and everything was read; `diff`: the two are the same',
  },
  violation: {
    code: 1,
    meaning: 'a file violates the policy; `lookup`: a digest is not in the ledger; `diff`: the two differ',
  },
  usage: { code: 2, meaning: 'wrong usage, or a database that cannot be used' },
  incomplete: {
    code: 3,
    meaning:
      'nothing violates the policy, or `diff` found no difference, but something could not be read fully; `db verify`: nobody checked whose signature it is',
  },
  nothing: { code: 4, meaning: 'there was nothing to scan' },
  bug: { code: 70, meaning: 'a bug of ours; what could be found out is still in the report' },
  interrupted: { code: 130, meaning: 'interrupted; the files that were finished are in the report' },
  readerGone: { code: 141, meaning: 'whoever read the report went away before its end' },
} as const;

export type ExitName = keyof typeof exitCodes;
