/*
 * Everything that can be wrong with a signature database, as one closed table.
 *
 * A code is `family/detail` and stays the same across versions, so that a script, an `allow` or a search engine can
 * hold on to it. What differs from case to case (which id, which text) stands in the message of the diagnostic; what is
 * always so stands here.
 */

export type DiagnosticSeverity = 'error' | 'warning';

export interface DiagnosticKind {
  /** An error makes the database wrong; a warning is for a person to judge. */
  readonly severity: DiagnosticSeverity;
  /** `load`: a scan refuses the database. `check`: only `telltale db check` finds it. */
  readonly phase: 'load' | 'check';
  /** Whether an indicator, a claim or a scope may have it, with a reason in its field `allow`. */
  readonly allowable?: true;
  /** One line, without a full stop. */
  readonly title: string;
  /** What goes wrong where it stays. */
  readonly why: string;
  /** How to mend it. */
  readonly help: string;
}

/** By code, in the order of the families in which they are listed. */
export const diagnosticKinds = {
  // ------------------------------------------------------------------------------------------ database
  'database/unreadable': {
    severity: 'error',
    phase: 'load',
    title: 'a folder or a file of the database cannot be read',
    why: 'A database that is read in part would judge files as if the rest did not exist.',
    help: 'Check the path and its permissions. A data file may have 32 MiB, a product folder 2,000 data files, and a pack 256 MiB.',
  },
  'database/empty': {
    severity: 'error',
    phase: 'load',
    title: 'there is no database in the folder',
    why: 'Nothing can be recognised without one, and an empty answer would look like a clean one.',
    help: 'Give a product folder (it holds product.json, sources.json, publishers.json, variants/, known-builds/ or similar/), a folder of product folders, or a pack.',
  },
  'database/stray-file': {
    severity: 'error',
    phase: 'load',
    title: 'a data file has a name that no part of a database has',
    why: 'It would silently count for nothing: a misspelt publishers.json is a set of pins that never matches.',
    help: 'Rename it, or move it out of the product folder. Files that are not .json or .tsv may stay.',
  },
  'database/no-product': {
    severity: 'error',
    phase: 'load',
    title: 'no folder has a product.json for the product',
    why: 'It says when a file claims to be the product; without it the other files have nothing to add to.',
    help: 'Write one, or give the folder of the database that has it before this one. The name of the product folder is the id of the product.',
  },
  'database/too-old': {
    severity: 'error',
    phase: 'load',
    title: 'a database is older than what was demanded, or states no revision',
    why: 'Whoever can hold back an update could hide what was learnt since. Where a product is demanded, something must speak of it.',
    help: 'Get a newer database, or lower the "min" line of the trust file or --min-revision.',
  },
  // ---------------------------------------------------------------------------------------------- pack
  'pack/malformed': {
    severity: 'error',
    phase: 'load',
    title: 'a file is no pack, or is not written as packs are',
    why: 'There is one way to write a pack, so that nobody can put into it what a signature does not cover.',
    help: 'Give a folder, or a pack that "telltale db pack" wrote. docs/packs.md describes the format.',
  },
  'pack/altered': {
    severity: 'error',
    phase: 'load',
    title: 'a pack is not as it was made',
    why: 'A digest or the signature does not hold: somebody changed the pack, or it was damaged on its way.',
    help: 'Get it again from whoever made it, and do not use this one.',
  },
  'pack/unsigned': {
    severity: 'error',
    phase: 'load',
    title: 'a database is not signed, and only signed packs were to be used',
    why: 'With --trust nothing is used for which none of the trusted keys vouches. A folder cannot be signed.',
    help: 'Give a pack that was made with "telltale db pack --key", or leave out --trust.',
  },
  'pack/untrusted-key': {
    severity: 'error',
    phase: 'load',
    title: 'a pack is signed with a key that is not trusted',
    why: 'Anyone can make a key. Only the keys that were given with --trust vouch for a database.',
    help: 'Ask whoever made the pack for the key by another way, and add it to the trust file if it is theirs.',
  },
  // ---------------------------------------------------------------------------------------------- json
  'json/encoding': {
    severity: 'error',
    phase: 'load',
    title: 'a file is not UTF-8 text',
    why: 'Names in other alphabets would turn into other names.',
    help: 'Save the file as UTF-8.',
  },
  'json/syntax': {
    severity: 'error',
    phase: 'load',
    title: 'a file is not JSON',
    why: 'Nothing behind the fault can be read.',
    help: 'Mend the text at the caret. JSON (RFC 8259) has no comments, no comma behind the last item, and double quotes only.',
  },
  'json/repeated-key': {
    severity: 'error',
    phase: 'load',
    title: 'an object has the same key twice',
    why: 'The first of the two would silently vanish, be it a source or half of a condition.',
    help: 'Remove one, or give it a name of its own. Two conditions of one kind go into a list under "all" or "any".',
  },
  'json/too-deep': {
    severity: 'error',
    phase: 'load',
    title: 'a file nests deeper than 64 levels',
    why: 'Validation recurses, and a file without end must not exhaust the stack.',
    help: 'Flatten the condition: "all" inside of "all" and "any" inside of "any" say nothing more than one list.',
  },
  // -------------------------------------------------------------------------------------------- schema
  'schema/unknown-field': {
    severity: 'error',
    phase: 'load',
    title: 'a field that does not exist here',
    why: 'A misspelt field would be passed over, and what it was to demand would not be demanded.',
    help: 'Check the spelling against docs/writing-signatures.md, or point your editor at the JSON Schema in schemas/.',
  },
  'schema/missing-field': {
    severity: 'error',
    phase: 'load',
    title: 'a field that is needed is missing',
    why: 'There is no value that could be assumed without guessing.',
    help: 'Add the field. docs/writing-signatures.md says what it means.',
  },
  'schema/wrong-type': {
    severity: 'error',
    phase: 'load',
    title: 'a value is of the wrong type',
    why: 'A number in quotes or a text instead of a list would be compared with the wrong thing.',
    help: 'Write the type that the message names: texts in double quotes, numbers and true or false without, lists in brackets.',
  },
  'schema/wrong-value': {
    severity: 'error',
    phase: 'load',
    title: 'a value is not allowed here',
    why: 'The value has the right type, but no part of the program knows what it should mean.',
    help: 'Take one of the values or the form that the message names.',
  },
  'schema/unknown-condition': {
    severity: 'error',
    phase: 'load',
    title: 'a condition is of no known kind',
    why: 'A condition that cannot be understood cannot be tried.',
    help: 'One condition is one object with one of the fields in the table of docs/writing-signatures.md ("Conditions"), such as "text", "host", "bytes", "all" or "any".',
  },
  // ------------------------------------------------------------------------------------------------ id
  'id/file-name': {
    severity: 'error',
    phase: 'load',
    title: 'an id is not the name of its file or folder',
    why: 'The id is what a report names. A reader must find the file by it, and two folders compose by it.',
    help: 'Rename the file (variants/ID.json), the product folder, or the id.',
  },
  'id/duplicate': {
    severity: 'error',
    phase: 'load',
    title: 'an id is used twice',
    why: 'A report that names it would not say which of the two was meant, and composing keeps only one of them.',
    help: 'Give one of them another id. Indicators, claims, scopes and publishers need ids of their own; an indicator also across the variants of its product.',
  },
  'id/of-a-variant': {
    severity: 'error',
    phase: 'load',
    title: 'an indicator has the id of a variant',
    why: 'The command "telltale explain ID" could not tell which of them is asked for.',
    help: 'Let the id of an indicator begin with that of its variant and say what was found.',
  },
  // -------------------------------------------------------------------------------------------- source
  'source/unknown': {
    severity: 'error',
    phase: 'load',
    title: 'a source that is cited does not exist',
    why: 'A statement that cites nothing cannot be checked by anybody.',
    help: 'Correct the id, or add the source to sources.json (to publishers.json when the folder has nothing else).',
  },
  'source/none': {
    severity: 'error',
    phase: 'load',
    title: 'a statement cites no source',
    why: "Nobody's memory is a source. What nobody else can check must not decide about a file.",
    help: 'Cite at least one source.',
  },
  'source/not-openable': {
    severity: 'error',
    phase: 'load',
    title: 'a decisive indicator rests only on sources that a stranger cannot open',
    why: 'A decisive indicator names the variant by itself, so anyone must be able to see what it rests on.',
    help: 'Cite a source with a url or a repository, or make the indicator "strong" or "suggestive".',
  },
  'source/conflict': {
    severity: 'error',
    phase: 'load',
    title: 'one id stands for two sources',
    why: 'Citations of the first would silently turn into citations of the second.',
    help: 'Give the source of the later folder another id, or make the two entries equal.',
  },
  'source/unused': {
    severity: 'warning',
    phase: 'check',
    title: 'a source that nothing cites',
    why: 'It looks like support for something and supports nothing. Often a citation was lost or misspelt.',
    help: 'Cite it where it belongs, or remove it.',
  },
  // ----------------------------------------------------------------------------------------- reference
  'reference/unknown-platform': {
    severity: 'error',
    phase: 'load',
    title: 'a platform that the product does not have',
    why: 'A report would name a platform that nobody defined.',
    help: 'Correct the id, or add the platform to product.json.',
  },
  'reference/unknown-publisher': {
    severity: 'error',
    phase: 'load',
    title: 'a signer condition names a publisher that does not exist',
    why: 'No signature is ever attributed to it, so the condition can never hold.',
    help: 'Correct the id, or add the publisher to publishers.json.',
  },
  'reference/unknown-variant': {
    severity: 'error',
    phase: 'load',
    title: 'a line of a table names a variant that does not exist',
    why: 'A file that meets the line could not be named.',
    help: 'Correct the id, or add variants/ID.json.',
  },
  'reference/unknown-format': {
    severity: 'warning',
    phase: 'check',
    title: 'a format that no file is ever recognised as',
    why: 'What is asked of files of this format is asked of none. The statement looks alive and never fires.',
    help: 'Take an id from the table in docs/formats.md, "program" for all that can act by itself, or "any".',
  },
  // ------------------------------------------------------------------------------------------- pattern
  'pattern/regex-syntax': {
    severity: 'error',
    phase: 'load',
    title: 'a regular expression does not compile',
    why: 'Expressions are run by RE2, in time that grows with the text alone. It has no look-around and no back-references.',
    help: 'Mend the expression, and mind that a backslash is written twice in JSON.',
  },
  'pattern/too-short': {
    severity: 'warning',
    phase: 'check',
    allowable: true,
    title: 'a literal so short that it will be found by chance',
    why: 'By the byte statistics of real programs it is expected at least once in 1 TiB of programs that have nothing to do with it (below 40 bits), or it has fewer than five bytes.',
    help: 'Take more of the text around it, ask for a whole word, or put it into an "all" with something else: what stands there is counted together.',
  },
  'pattern/too-common': {
    severity: 'warning',
    phase: 'check',
    allowable: true,
    title: 'a literal that is common in all programs',
    why: 'It consists of words, hosts, format marks or runs of a byte that programs are full of: by their measured frequency it is expected at least once in 1 TiB of programs that have nothing to do with it (below 40 bits).',
    help: 'Take what only this variant has, or put it into an "all" with something else: what stands there is counted together.',
  },
  'pattern/matches-everything': {
    severity: 'error',
    phase: 'check',
    title: 'an expression or a name pattern that everything matches',
    why: 'A condition that always holds says nothing, and an indicator of nothing else fires on every file.',
    help: 'Ask for what is particular, or remove the condition.',
  },
  'pattern/anchor-not-in-match': {
    severity: 'error',
    phase: 'check',
    title: 'an expression matches text without its anchor',
    why: 'An expression is tried only where its anchor stands. Matches without the anchor are never found, although the expression seems to ask for them.',
    help: 'Choose an anchor that is part of every match, or write one condition for each alternative under "any".',
  },
  // ----------------------------------------------------------------------------------------- condition
  'condition/repeated': {
    severity: 'warning',
    phase: 'check',
    allowable: true,
    title: 'the same condition twice in one list',
    why: 'The second adds nothing. Under "atLeast" one find counts twice, which is rarely meant.',
    help: 'Remove one, or write what was meant.',
  },
  'condition/impossible': {
    severity: 'error',
    phase: 'check',
    title: 'a condition that can never hold',
    why: 'It asks for more conditions than it lists, for a range without numbers, or for something that it also excludes.',
    help: 'Correct the number or the range, or remove the contradiction.',
  },
  // ---------------------------------------------------------------------------------------------- test
  'test/hit-missing': {
    severity: 'error',
    phase: 'load',
    title: 'an indicator has no hit',
    why: 'Nobody can see what it is meant to find, and nothing notices when it no longer does.',
    help: 'Describe in tests.hit at least one artifact on which it must fire.',
  },
  'test/near-miss-missing': {
    severity: 'error',
    phase: 'load',
    title: 'an indicator has no near miss',
    why: 'Only a near miss shows that it does not fire on what merely resembles the variant.',
    help: 'Describe in tests.nearMiss at least one real temptation: the host inside of a longer one, the same text on a web page, the version of the official build of that day.',
  },
  'test/hit-silent': {
    severity: 'error',
    phase: 'check',
    title: 'an indicator does not fire on its own hit',
    why: 'Either the condition is wrong or the description of what it must find is.',
    help: 'Compare the condition with the hit: format and "in", encodings, boundaries of hosts and words, upper and lower case.',
  },
  'test/near-miss-fires': {
    severity: 'error',
    phase: 'check',
    title: 'an indicator fires on its own near miss',
    why: 'It would name the variant where there is none.',
    help: 'Make the condition narrower: a longer text, a whole word, a host instead of a text, fewer formats in "in".',
  },
  'test/near-miss-unrelated': {
    severity: 'warning',
    phase: 'check',
    allowable: true,
    title: 'a near miss has nothing in common with any hit',
    why: 'That an indicator stays silent on something altogether different shows nothing. The rule asks for one thing in common: four characters in a row, three bytes in a row, a fact of the same name, or a signature or digest in both.',
    help: 'Describe something that a careless condition would have taken for the variant.',
  },
  'test/fires-on-other-variant': {
    severity: 'error',
    phase: 'check',
    allowable: true,
    title: 'a strong or decisive indicator fires on a hit of another variant',
    why: 'A file of one variant would be reported as two, or as the wrong one. Suggestive indicators may: they are shown and never decide.',
    help: 'Make the condition narrower, let it exclude the other with "none", or make it "suggestive". Where both variants really share the mark, say so in "allow" with the reason.',
  },
  // ----------------------------------------------------------------------------------------------- pin
  'pin/no-period': {
    severity: 'error',
    phase: 'load',
    title: 'a pinned certificate has no period',
    why: 'A key that was revoked or stolen later would vouch for files of any time.',
    help: 'Give "from" and "to" as YYYY-MM-DD: the validity of the certificate, or less.',
  },
  'pin/period-reversed': {
    severity: 'error',
    phase: 'check',
    title: 'the period of a pin ends before it begins',
    why: 'No signature falls into it, so the pin never counts and genuine files are taken for forged ones.',
    help: 'Swap the dates, or correct the one that is wrong.',
  },
  'pin/impossible-date': {
    severity: 'error',
    phase: 'check',
    title: 'a date that is in no calendar',
    why: 'It cannot be compared with the date of a signature.',
    help: 'Look the date up in the certificate (openssl x509 -noout -dates).',
  },
  'pin/two-publishers': {
    severity: 'error',
    phase: 'check',
    title: 'one certificate, team or key is pinned for two publishers',
    why: 'A signature with it would be attributed to whichever comes first.',
    help: 'Keep it where the certificate names the subject.',
  },
  'pin/repeated': {
    severity: 'warning',
    phase: 'check',
    title: 'one certificate, team or key is pinned twice in one list',
    why: 'With two periods the longer one counts, which hides a mistake in either.',
    help: 'Join the two entries and their sources.',
  },
  // -------------------------------------------------------------------------------------------- digest
  'digest/conflict': {
    severity: 'error',
    phase: 'load',
    title: 'two lines of the tables say different things of one digest',
    why: 'One digest is one file. At least one of the records is wrong, and the report would repeat whichever comes first.',
    help: 'Find out which source is right, and leave the other line out.',
  },
  'digest/two-variants': {
    severity: 'error',
    phase: 'check',
    title: 'a digest indicator names a file that belongs to another variant',
    why: 'The ledger of known builds, or an indicator of another variant, says that the same file is something else.',
    help: 'Find out which source is right, and remove the digest from the other place.',
  },
  'digest/repeated': {
    severity: 'warning',
    phase: 'check',
    title: 'a digest is listed twice',
    why: 'The second adds nothing. Often another digest was meant.',
    help: 'Remove one. Two lines of a table that agree become one line with the sources of both.',
  },
  // --------------------------------------------------------------------------------------------- table
  'table/header': {
    severity: 'error',
    phase: 'load',
    title: 'the first line of a table does not name the columns',
    why: 'Cells would be read as something else.',
    help: 'Copy the first line of a table of the same kind that ships (signatures/*/known-builds/*.tsv, signatures/*/similar/*.tsv).',
  },
  'table/columns': {
    severity: 'error',
    phase: 'load',
    title: 'a line of a table has too many or too few columns',
    why: 'Nobody can say which cell is missing.',
    help: 'Separate cells by exactly one tab. Empty cells stay, also at the end of the line.',
  },
  'table/value': {
    severity: 'error',
    phase: 'load',
    title: 'a cell of a table has a value that is not allowed',
    why: 'A digest with a wrong digit count, an unknown grade or a source in no known form cannot be used or checked.',
    help: 'Write what the message asks for. docs/writing-signatures.md ("known build") and docs/similarity.md describe the columns.',
  },
  // --------------------------------------------------------------------------------------------- allow
  'allow/unused': {
    severity: 'warning',
    phase: 'check',
    title: 'an "allow" for something that is not found',
    why: 'It would hide the finding when it comes back for another reason.',
    help: 'Remove it.',
  },
  // --------------------------------------------------------------------------------------- translation
  'translation/missing': {
    severity: 'warning',
    phase: 'check',
    title: 'a text has no Chinese while others of its folder have',
    why: 'A Chinese report would fall back to English in the middle.',
    help: 'Add it to "zh" beside the text. Names of publishers, and names of one word, need none.',
  },
  // ------------------------------------------------------------------------------------------ goodware
  'goodware/fires': {
    severity: 'error',
    phase: 'check',
    allowable: true,
    title: 'a strong or decisive indicator fires on files that have nothing to do with the product',
    why: 'It would name the variant on computers that never saw it.',
    help: 'Look at the files named. Make the condition narrower, or make the indicator "suggestive". Where a file really is the variant, take it out of the collection.',
  },
  'goodware/fires-weakly': {
    severity: 'warning',
    phase: 'check',
    allowable: true,
    title: 'a suggestive indicator fires on files that have nothing to do with the product',
    why: 'It decides nothing, but a hint that is shown on ordinary programs is noise.',
    help: 'Make the condition narrower, or say in "allow" why the hint is worth it.',
  },
} as const satisfies Readonly<Record<string, DiagnosticKind>>;

export type DiagnosticCode = keyof typeof diagnosticKinds;

export function isDiagnosticCode(text: string): text is DiagnosticCode {
  return Object.hasOwn(diagnosticKinds, text);
}

/** All codes, in the order of the table. */
export const diagnosticCodes: readonly DiagnosticCode[] =
  Object.keys(diagnosticKinds).filter(isDiagnosticCode);

export function toDiagnosticKind(code: DiagnosticCode): DiagnosticKind {
  return diagnosticKinds[code];
}

/** What a database may allow by `allow`; a list of its own, because the schema is made from it. */
export const allowableCodes = [
  'pattern/too-short',
  'pattern/too-common',
  'condition/repeated',
  'test/near-miss-unrelated',
  'test/fires-on-other-variant',
  'goodware/fires',
  'goodware/fires-weakly',
] as const satisfies readonly DiagnosticCode[];

export type AllowableCode = (typeof allowableCodes)[number];

/** A place in a data file. */
export interface DiagnosticPlace {
  /** Path of the file, or of the folder, as the person would write it. */
  readonly file: string;
  /** 1-based; absent when the complaint is about a file or folder as a whole. */
  readonly line?: number;
  /** 1-based, in UTF-16 code units of the line. */
  readonly column?: number;
  /** Of the text at fault on that line, in UTF-16 code units. */
  readonly length?: number;
}

/** What the statement at fault belongs to, as far as that is known. */
export interface DiagnosticSubject {
  readonly product?: string;
  readonly variant?: string;
  readonly indicator?: string;
}

/** Something wrong in a database, and where. */
export interface Diagnostic extends DiagnosticPlace {
  readonly code: DiagnosticCode;
  readonly severity: DiagnosticSeverity;
  /** `indicators[2].when.host`; empty for the whole file. */
  readonly field: string;
  readonly subject: DiagnosticSubject;
  /** One plain sentence without a full stop; may hold text of the file: escape before printing. */
  readonly message: string;
  /** Another place that has to do with it, such as the first of two. */
  readonly related?: DiagnosticPlace & { readonly message: string };
  /** More that is worth knowing, one thing each; may hold text of files. */
  readonly notes?: readonly string[];
}

/** A diagnostic of a file or folder as a whole. */
export function toWholeDiagnostic(
  code: DiagnosticCode,
  file: string,
  message: string,
  subject: DiagnosticSubject = {},
): Diagnostic {
  return { code, severity: diagnosticKinds[code].severity, file, field: '', subject, message };
}

/** `file:line:column` */
export function toPlaceText({ file, line, column }: DiagnosticPlace): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

/** `file:line:column: field: message [code]` */
export function toDiagnosticLine(diagnostic: Diagnostic): string {
  const { code, field, message } = diagnostic;
  return `${toPlaceText(diagnostic)}: ${field === '' ? '' : `${field}: `}${message} [${code}]`;
}
