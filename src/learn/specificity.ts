/*
 * How much a feature says of the edition rather than of the tools that it was built with. A rough order: what belongs
 * to an edition was told apart by the other samples before, this only decides what a person sees first.
 */
import type { Specificity } from './model.ts';

/** Below this, a feature is not worth a person's time. */
export const leastScore = 25;

const infrastructureHost =
  /(?:^|\.)(?:microsoft|windows|msn|verisign|thawte|symantec|symcb|symcd|digicert|globalsign|comodoca|comodo|usertrust|sectigo|godaddy|entrust|letsencrypt|adobe|apple|android|google|googleapis|mozilla|jrsoftware|innosetup|installshield|autoitscript)\.(?:com|net|org)$|(?:^|\.)(?:w3|xmlsoap|openssl|gnu|apache|sourceforge|sf|python|openxmlformats|oasis-open|libpng|zlib|ietf|iana|example)\.(?:org|net|com)$/;

/** Texts of compilers, their runtimes, packers and installer frameworks. */
const frameworkTexts: readonly RegExp[] = [
  /^\.\?A[UV]|^\?\?|^__?[a-z]+(?:_[a-z0-9]+)*$/,
  /cannot be run in (?:DOS|Win32)|must be run under Win/i,
  /^(?:R60\d\d|Runtime Error|Microsoft Visual C\+\+|GCC: |mingw|libgcj)/i,
  /Nullsoft|NSIS|Inno Setup|InstallShield|\bUPX\b|7-Zip|\bWiX\b|Borland|Embarcadero|PADDINGX/,
  /urn:schemas-microsoft-com|<\/?(?:assembly|dependen|trustInfo|security|requested|compatibility|application|supportedOS|xml)|publicKeyToken|asInvoker|requireAdministrator|Common-Controls|Win32"/i,
  /^(?:api-ms-|kernel|user32|gdi32|advapi|shell|ole32|oleaut|comctl|comdlg|msvc|ws2_32|wsock|version|winmm|wininet|ntdll|rpcrt|crypt32|mscoree|libc|ld-linux)[\w.-]*$/i,
  /^(?:deflate|inflate) \d|^(?:invalid|incorrect|unknown) (?:distance|literal|block|stored|code|header|bit|window)|^need dictionary|^stream error|^buffer error/,
];

/** What functions of Windows are called, and others like them. */
const windowsFunction =
  /^(?:Get|Set|Create|Open|Close|Reg|Load|Find|Is|Enum|Query|Virtual|Heap|Global|Local|Tls|Fls|Interlocked|Initialize|Enter|Leave|Delete|Write|Read|Free|Flush|Terminate|Unhandled|Raise|Rtl|Multi|WideChar|LCMap|Encode|Decode|Wait|Send|Post|Message|Dispatch|Translate|Draw|Show|Exit|Co|Sys|Shell|SH|Select|Image|Lookup|Adjust|Move|Copy|Remove|Char|Def|Reg|Call|Begin|End|Invalidate|Peek|Register|Destroy|Append|Track|Check|Map|Unmap|Expand|Compare|Search|Sleep|Duplicate|Resume|Suspend|System|File|Outputs?|Mul|lstr)[A-Z][A-Za-z0-9]+$/;

const guid = /^\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i;
const eastAsian = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]/;

/** A text in the bytes of a program. */
export function judgeText(text: string): Specificity {
  const longer = Math.min(10, Math.max(0, Math.floor((text.length - 8) / 4)));
  if (frameworkTexts.some((pattern) => pattern.test(text)))
    return { score: 8, reason: 'a text of a compiler, a library or an installer framework' };
  const address = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([a-z0-9.-]+)/i.exec(text);
  if (address !== null) return judgeAddress(address[1] ?? '', longer);
  if (guid.test(text)) return { score: 72, reason: 'a GUID' };
  if (/[\\/][^\\/]+\.pdb$/i.test(text)) return { score: 78, reason: 'a path of the build machine' };
  if (/^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(text)) return { score: 70, reason: 'an e-mail address' };
  if (eastAsian.test(text))
    return { score: Math.min(66, 54 + text.replace(/[ -~]/g, '').length), reason: 'an East Asian text' };
  if (isNoise(text)) return { score: 5, reason: 'looks like chance' };
  if (/^(?:HK(?:EY|LM|CU|CR)|software\\|system\\)/i.test(text)) {
    return /\\(?:Microsoft|Classes|CurrentControlSet)\b/i.test(text)
      ? { score: 14, reason: 'a registry key of Windows' }
      : { score: 64 + longer, reason: 'a registry key' };
  }
  if (/^(?:[a-z]:)?[\\/][\w%~ .-]+[\\/]|^[\w.-]+\/[\w.-]+\/[\w./-]+$/i.test(text))
    return { score: 56 + longer, reason: 'a path' };
  if (
    /^[\w .()-]+\.(?:dll|exe|dat|ini|db|sys|ocx|xml|cfg|conf|txt|log|so|dylib|jar|dex|plist|lua|js)$/i.test(
      text,
    )
  )
    return { score: 44 + longer, reason: 'a file name' };
  if (windowsFunction.test(text)) return { score: leastScore, reason: 'named as functions of Windows are' };
  if (/^[A-Za-z]{1,14}$/.test(text)) return { score: 18, reason: 'a single word' };
  if (/^[\w$@?.]+$/.test(text)) return { score: 34 + Math.min(6, longer), reason: 'an identifier' };
  if (/%[-+0-9.l]*[sdxuc]/.test(text))
    return { score: 40 + longer, reason: 'a text with places to be filled in' };
  return { score: 40 + longer, reason: 'a text' };
}

function judgeAddress(host: string, longer: number): Specificity {
  return infrastructureHost.test(host.toLowerCase())
    ? { score: 12, reason: 'an address that programs of all kinds have' }
    : { score: 72 + Math.min(6, longer), reason: 'an address' };
}

export function judgeHost(host: string): Specificity {
  if (infrastructureHost.test(host)) return { score: 10, reason: 'a host that programs of all kinds name' };
  const labels = host.split('.').length;
  return { score: 80 + Math.min(8, 2 * (labels - 2)), reason: `a host name of ${labels} labels` };
}

/** Letters, digits and signs that change places too often, or too few letters. */
function isNoise(text: string): boolean {
  const kinds = [...text].map(toKindOfCharacter);
  const plain = kinds.filter((kind) => kind !== 'sign').length;
  if (plain / text.length < 0.6) return true;
  let changes = 0;
  for (let at = 1; at < kinds.length; at += 1) {
    // A capital before small letters begins a word.
    if (kinds[at] !== kinds[at - 1] && !(kinds[at - 1] === 'capital' && kinds[at] === 'small')) changes += 1;
  }
  if (changes / (text.length - 1) > (text.length < 12 ? 0.34 : 0.45)) return true;
  const letters = text.replaceAll(/[^A-Za-z]/g, '');
  return letters.length >= 6 && !/[aeiouy]/i.test(letters);
}

function toKindOfCharacter(character: string): 'small' | 'capital' | 'digit' | 'sign' {
  if (/[a-z ]/.test(character)) return 'small';
  if (/[A-Z]/.test(character)) return 'capital';
  return /\d/.test(character) ? 'digit' : 'sign';
}

/** Bytes of a program; code is shared by everything that was linked with the same library. */
export function judgeBytes(bytes: Uint8Array, region: string | undefined): Specificity {
  const spread = Math.min(
    12,
    Math.floor((12 * new Set(bytes.filter((byte) => byte !== 0)).size) / Math.max(1, bytes.length)),
  );
  return region !== undefined && /^\.?(?:text|code|itext)\b/i.test(region)
    ? { score: 36 + spread, reason: `${bytes.length} bytes of code` }
    : { score: 44 + spread, reason: `${bytes.length} bytes that are neither text nor packed` };
}

/** Chinese text in the encoding that Windows uses there. */
export function judgeHanzi(text: string): Specificity {
  return { score: Math.min(66, 54 + text.replace(/[ -~]/g, '').length), reason: 'a Chinese text in GBK' };
}

const genericName =
  /^(?:setup|install(?:er)?|uninst(?:all)?|unins\d+|readme|licen[cs]e|eula|changelog|autorun|index|data\d*|config|settings|default|main|update(?:r)?|manifest|version|resources?|classes\d*|androidmanifest|info|icon|logo|banner|file\d*|system|nsdialogs|modern-wizard|ioptions|instoptions|nsexec|langdll|disk\d+)(?:\.[a-z0-9]+)?$/i;

export function judgeName(name: string, isRoot: boolean): Specificity {
  if (genericName.test(name)) return { score: 12, reason: 'a name that many packages have' };
  const stem = name.replace(/\.[^.]*$/, '');
  const score = 38 + Math.min(14, stem.length) + (eastAsian.test(name) ? 10 : 0);
  return isRoot
    ? { score: score - 14, reason: 'the name of the samples, which anybody can change' }
    : { score, reason: 'the name of a file' };
}
