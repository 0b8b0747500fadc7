/**
 * The records of Inno Setup's setup data, field by field, with the versions that have each field.
 *
 * A range such as `>=4.0.0 <5.2.5` is about the version in the setup data's text. `ansi`, `unicode`, `isx` and
 * `plain` (not isx) are about the compiler; alternatives are parted by `||`. No range: every version since 1.2.10.
 *
 * @see https://github.com/jrsoftware/issrc `Projects/Src/Shared.Struct.pas` with its history
 * @see https://github.com/dscharrer/innoextract `src/setup/*.cpp`
 * @see https://github.com/jrathlev/InnoUnpacker-Windows-GUI `innounp-2/sources/Struct*.pas`
 */
import { type InnoVersion, toVersionNumber } from './version.ts';

/**
 * `text`: length in bytes, then text in UTF-16LE or the installer's code page. `bytes`: the same with bytes.
 * `windows`: from and up to which Windows it applies. `set`: a bit for each member, eight to the byte. `raw`: bytes of
 * a fixed number.
 */
export type FieldType = 'text' | 'bytes' | 'u8' | 'u16' | 'u32' | 'u64' | 'windows' | 'set' | 'raw';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly applies: (version: InnoVersion) => boolean;
  /** Bytes of a `raw`. */
  readonly size: number;
  /** Members of a `set`, lowest bit first. */
  readonly members: readonly Member[];
  /** Bytes that a `set` takes at least. */
  readonly minimumBytes: (version: InnoVersion) => number;
}

interface Member {
  readonly name: string;
  readonly applies: (version: InnoVersion) => boolean;
}

const always = (): boolean => true;

/** Turns a range into a test. */
export function toRangeTest(range: string | undefined): (version: InnoVersion) => boolean {
  if (range === undefined) return always;
  const alternatives = range.split('||').map((part) => part.trim().split(/\s+/).map(toConditionTest));
  return (version) => alternatives.some((conditions) => conditions.every((test) => test(version)));
}

function toConditionTest(condition: string): (version: InnoVersion) => boolean {
  switch (condition) {
    case 'ansi':
      return ({ isUnicode }) => !isUnicode;
    case 'unicode':
      return ({ isUnicode }) => isUnicode;
    case 'isx':
      return ({ isIsx }) => isIsx;
    case 'plain':
      return ({ isIsx }) => !isIsx;
    default: {
      const [, operator, text] = /^(>=|<|=)(\d[\d.]*)$/.exec(condition) ?? [];
      if (text === undefined) throw new Error(`not a range: ${condition}`);
      const limit = toVersionNumber(text);
      if (operator === '>=') return ({ number }) => number >= limit;
      if (operator === '<') return ({ number }) => number < limit;
      return ({ number }) => number === limit;
    }
  }
}

function field(name: string, type: Exclude<FieldType, 'set' | 'raw'>, range?: string): Field {
  return { name, type, applies: toRangeTest(range), size: 0, members: [], minimumBytes: () => 0 };
}

function raw(name: string, size: number, range?: string): Field {
  return { name, type: 'raw', applies: toRangeTest(range), size, members: [], minimumBytes: () => 0 };
}

/** Several fields of one type and range. */
function fields(names: string, type: Exclude<FieldType, 'set' | 'raw'>, range?: string): Field[] {
  return names.split(' ').map((name) => field(name, type, range));
}

/**
 * @param members - name and range by turns in one line each: `Uninstallable <5.3.10`
 * @param wideRange - versions that give the set eight bytes whatever it holds
 */
function set(name: string, members: readonly string[], wideRange?: string): Field {
  const isWide = wideRange === undefined ? () => false : toRangeTest(wideRange);
  return {
    name,
    type: 'set',
    applies: always,
    size: 0,
    members: members.map((line) => {
      const [member = '', ...range] = line.split(' ');
      return { name: member, applies: toRangeTest(range.length === 0 ? undefined : range.join(' ')) };
    }),
    minimumBytes: (version) => (isWide(version) ? 8 : 0),
  };
}

/** Records before 1.3 begin with their size in memory. */
const memorySize = field('MemorySize', 'u32', '<1.3.0');

/** When a record applies: stands in most records. */
const conditions: readonly Field[] = [
  field('Components', 'text', '>=2.0.0 || isx >=1.3.8'),
  field('Tasks', 'text', '>=2.0.0 || isx >=1.3.17'),
  field('Languages', 'text', '>=4.0.1'),
  field('Check', 'text', '>=4.0.0 || isx >=1.3.24'),
  ...fields('AfterInstall BeforeInstall', 'text', '>=4.1.0'),
];

const check = field('Check', 'text', '>=4.0.0 || isx >=1.3.24');
const languages = field('Languages', 'text', '>=4.0.1');
const windows = field('Windows', 'windows');
const permission = field('PermissionsEntry', 'u16', '>=4.1.0');
/** In the order of a list of tasks or components that is shown as a tree. */
const treePlace: readonly Field[] = [
  field('Level', 'u32', '>=4.0.0 <6.7.0 || isx >=3.0.3 <4.0.0'),
  field('Level', 'u8', '>=6.7.0'),
  field('Used', 'u8', '>=4.0.0 || isx >=3.0.4'),
];

/** `TSetupHeader`. */
export const headerLayout: readonly Field[] = [
  memorySize,
  ...fields('AppName AppVerName', 'text'),
  field('AppId', 'text', '>=1.3.0'),
  field('AppCopyright', 'text'),
  ...fields('AppPublisher AppPublisherURL', 'text', '>=1.3.0'),
  field('AppSupportPhone', 'text', '>=5.1.13'),
  ...fields('AppSupportURL AppUpdatesURL AppVersion', 'text', '>=1.3.0'),
  ...fields('DefaultDirName DefaultGroupName', 'text'),
  field('UninstallIconName', 'text', '<3.0.0'),
  field('BaseFilename', 'text'),
  ...fields('LicenseText InfoBeforeText InfoAfterText', 'bytes', '>=1.3.0 <5.2.5'),
  field('UninstallFilesDir', 'text', '>=1.3.3'),
  ...fields('UninstallDisplayName UninstallDisplayIcon', 'text', '>=1.3.6'),
  field('AppMutex', 'text', '>=1.3.14'),
  ...fields('DefaultUserInfoName DefaultUserInfoOrg', 'text', '>=3.0.0'),
  field('DefaultUserInfoSerial', 'text', '>=4.0.0 || isx >=3.0.6.1'),
  field('CompiledCode', 'bytes', '>=4.0.0 <5.2.5 || isx >=1.3.24'),
  ...fields('AppReadmeFile AppContact AppComments AppModifyPath', 'text', '>=4.2.4'),
  field('CreateUninstallRegKey', 'text', '>=5.3.8'),
  field('Uninstallable', 'text', '>=5.3.10'),
  field('CloseApplicationsFilter', 'text', '>=5.5.0'),
  field('SetupMutex', 'text', '>=5.5.6'),
  ...fields('ChangesEnvironment ChangesAssociations', 'text', '>=5.6.1'),
  ...fields('ArchitecturesAllowed ArchitecturesInstallIn64BitMode', 'text', '>=6.3.0'),
  field('CloseApplicationsFilterExcludes', 'text', '>=6.4.2'),
  field('SevenZipLibraryName', 'text', '>=6.5.0'),
  ...fields(
    'UsePreviousAppDir UsePreviousGroup UsePreviousSetupType UsePreviousTasks UsePreviousUserInfo',
    'text',
    '>=6.7.0',
  ),
  ...fields('LicenseText InfoBeforeText InfoAfterText', 'bytes', '>=5.2.5'),
  field('SignedUninstallerSignature', 'bytes', '>=5.2.1 <5.3.10'),
  field('CompiledCode', 'bytes', '>=5.2.5'),
  raw('LeadBytes', 32, '>=2.0.6 ansi'),
  field('NumLanguages', 'u32', '>=4.0.0'),
  field('NumMessages', 'u32', '>=4.2.1'),
  field('NumPermissions', 'u32', '>=4.1.0'),
  ...fields('NumTypes NumComponents', 'u32', '>=2.0.0 || isx'),
  field('NumTasks', 'u32', '>=2.0.0 || isx >=1.3.17'),
  field('NumDirs', 'u32'),
  field('NumISSigKeys', 'u32', '>=6.5.0'),
  ...fields('NumFiles NumLocations NumIcons NumIni NumRegistry', 'u32'),
  ...fields('NumInstallDelete NumUninstallDelete NumRun NumUninstallRun', 'u32'),
  field('CompiledCodeVersion', 'u32', '>=7.0.0.3'),
  ...fields('LicenseSize InfoBeforeSize InfoAfterSize', 'u32', '<1.3.0'),
  windows,
  field('BackColor', 'u32', '<6.4.0.1'),
  field('BackColor2', 'u32', '>=1.3.3 <6.4.0.1'),
  field('WizardImageBackColor', 'u32', '<5.5.7'),
  field('WizardSmallImageBackColor', 'u32', '>=2.0.0 <5.0.4 || isx'),
  field('WizardStyle', 'u8', '>=6.0.0 <6.6.0'),
  ...fields('WizardSizePercentX WizardSizePercentY', 'u32', '>=6.0.0'),
  field('WizardDarkStyle', 'u8', '>=6.6.0'),
  field('WizardImageAlphaFormat', 'u8', '>=5.5.7'),
  ...fields('WizardImageBackColor WizardSmallImageBackColor', 'u32', '>=6.5.2'),
  field('WizardBackColor', 'u32', '>=6.7.0'),
  ...fields('WizardImageBackColorDynamicDark WizardSmallImageBackColorDynamicDark', 'u32', '>=6.6.0'),
  field('WizardBackColorDynamicDark', 'u32', '>=6.7.0'),
  field('WizardImageOpacity', 'u8', '>=6.6.1'),
  ...fields('WizardBackImageOpacity WizardLightControlStyling', 'u8', '>=6.7.0'),
  raw('PasswordCrc32', 4, '<4.2.0'),
  raw('PasswordMd5', 16, '>=4.2.0 <5.3.9'),
  raw('PasswordSha1', 20, '>=5.3.9 <6.4.0'),
  raw('PasswordSalt', 8, '>=4.2.2 <6.4.0'),
  // password test 4, salt 16, iterations 4, nonce 24; a header of its own since 6.5.0
  raw('PasswordAndKeyDerivation', 48, '>=6.4.0 <6.5.0'),
  field('ExtraDiskSpaceRequired', 'u64', '>=4.0.0'),
  field('ExtraDiskSpaceRequired', 'u32', '<4.0.0'),
  field('SlicesPerDisk', 'u32', '>=4.0.0'),
  field('InstallMode', 'u8', '>=2.0.0 <5.0.0 || isx >=1.3.4'),
  field('UninstallLogMode', 'u8', '>=1.3.0'),
  field('UninstallStyle', 'u8', '>=2.0.0 <5.0.0 || isx >=1.3.13'),
  field('DirExistsWarning', 'u8', '>=1.3.6'),
  field('CodeLineOffset', 'u32', 'isx >=2.0.10 <3.0.0'),
  field('AlwaysRestart', 'u8', '>=3.0.0 <3.0.3'),
  field('PrivilegesRequired', 'u8', '>=3.0.4 || isx >=3.0.3'),
  field('PrivilegesRequiredOverridesAllowed', 'u8', '>=5.7.0'),
  ...fields('ShowLanguageDialog LanguageDetectionMethod', 'u8', '>=4.0.10'),
  field('CompressMethod', 'u8', '>=4.1.5'),
  ...fields('ArchitecturesAllowedSet ArchitecturesInstallIn64BitModeSet', 'u8', '>=5.1.0 <6.3.0'),
  ...fields('SignedUninstallerOrigSize SignedUninstallerHdrChecksum', 'u32', '>=5.2.1 <5.3.10'),
  ...fields('DisableDirPage DisableProgramGroupPage', 'u8', '>=5.3.3'),
  field('UninstallDisplaySize', 'u32', '>=5.3.6 <5.5.0'),
  field('UninstallDisplaySize', 'u64', '>=5.5.0'),
  field('Unknown', 'u8', '=5.4.2.1 || =5.5.0.1'),
  set(
    'Options',
    [
      'DisableStartupPrompt',
      'Uninstallable <5.3.10',
      'CreateAppDir',
      'DisableDirPage <5.3.3',
      'DisableDirExistsWarning <1.3.6',
      'DisableProgramGroupPage <5.3.3',
      'AllowNoIcons',
      'AlwaysRestart <3.0.0 || >=3.0.3',
      'BackSolid <1.3.3',
      'AlwaysUsePersonalGroup',
      'WindowVisible <6.4.0.1',
      'WindowShowCaption <6.4.0.1',
      'WindowResizable <6.4.0.1',
      'WindowStartMaximized <6.4.0.1',
      'EnableDirDoesntExistWarning',
      'DisableAppendDir <4.1.2',
      'Password',
      'AllowRootDirectory',
      'DisableFinishedPage >=1.2.14',
      'AdminPrivilegesRequired <3.0.4',
      'AlwaysCreateUninstallIcon <3.0.0',
      'OverwriteUninstRegEntries <1.3.6',
      'ChangesAssociations <5.6.1',
      'CreateUninstallRegKey >=1.3.0 <5.3.8',
      'UsePreviousAppDir >=1.3.1 <6.7.0',
      'BackColorHorizontal >=1.3.3 <6.4.0.1',
      'UsePreviousGroup >=1.3.10 <6.7.0',
      'UpdateUninstallLogAppName >=1.3.20',
      'UsePreviousSetupType >=2.0.0 <6.7.0 || isx >=1.3.10',
      'DisableReadyMemo >=2.0.0',
      'AlwaysShowComponentsList >=2.0.0',
      'FlatComponentsList >=2.0.0',
      'ShowComponentSizes >=2.0.0',
      'UsePreviousTasks >=2.0.0 <6.7.0',
      'DisableReadyPage >=2.0.0',
      'AlwaysShowDirOnReadyPage >=2.0.7',
      'AlwaysShowGroupOnReadyPage >=2.0.7',
      'BzipUsed >=2.0.17 <4.1.5',
      'AllowUNCPath >=2.0.18',
      'UserInfoPage >=3.0.0',
      'UsePreviousUserInfo >=3.0.0 <6.7.0',
      'UninstallRestartComputer >=3.0.1',
      'RestartIfNeededByRun >=3.0.3',
      'ShowTasksTreeLines >=4.0.0 || isx >=3.0.3',
      'ShowLanguageDialog >=4.0.0 <4.0.10',
      'DetectLanguageUsingLocale >=4.0.1 <4.0.10',
      'AllowCancelDuringInstall >=4.0.9',
      'WizardImageStretch >=4.1.3',
      'AppendDefaultDirName >=4.1.8',
      'AppendDefaultGroupName >=4.1.8',
      'EncryptionUsed >=4.2.2 <6.5.0',
      'ChangesEnvironment >=5.0.4 <5.6.1',
      'ShowUndisplayableLanguages >=5.1.7 ansi',
      'SetupLogging >=5.1.13',
      'SignedUninstaller >=5.2.1',
      'UsePreviousLanguage >=5.3.8',
      'DisableWelcomePage >=5.3.9',
      'CloseApplications >=5.5.0',
      'RestartApplications >=5.5.0',
      'AllowNetworkDrive >=5.5.0',
      'ForceCloseApplications >=5.5.7',
      'AppNameHasConsts >=6.0.0',
      'UsePreviousPrivileges >=6.0.0',
      'WizardResizable >=6.0.0 <6.6.0',
      'UninstallLogging >=6.3.0',
      'WizardModern >=6.6.0',
      'WizardBorderStyled >=6.6.0',
      'WizardKeepAspectRatio >=6.6.0',
      'WizardLightButtonsUnstyled >=6.6.0 <6.7.0',
      'RedirectionGuard >=6.7.0',
      'WizardBevelsHidden >=6.7.0',
    ],
    '>=6.7.0',
  ),
];

/** `TSetupLanguageEntry`; before 4.0 the one language has no name. */
export const languageLayout: readonly Field[] = [
  field('Name', 'text', '>=4.0.0'),
  field('LanguageName', 'bytes'),
  field('Unknown', 'bytes', '=5.5.7.1'),
  field('DialogFontName', 'text'),
  field('TitleFontName', 'text', '<6.6.0'),
  field('WelcomeFontName', 'text'),
  field('CopyrightFontName', 'text', '<6.6.0'),
  field('Data', 'bytes', '>=4.0.0'),
  ...fields('LicenseText InfoBeforeText InfoAfterText', 'bytes', '>=4.0.1'),
  field('LanguageID', 'u32', '<6.6.0'),
  field('LanguageID', 'u16', '>=6.6.0'),
  field('LanguageCodePage', 'u32', '>=4.2.2 ansi || >=4.2.2 <5.3.0 unicode'),
  field('DialogFontSize', 'u32'),
  field('DialogFontStandardHeight', 'u32', '<4.1.0'),
  ...fields('DialogFontBaseScaleHeight DialogFontBaseScaleWidth', 'u32', '>=6.6.0'),
  field('TitleFontSize', 'u32', '<6.6.0'),
  field('WelcomeFontSize', 'u32'),
  field('CopyrightFontSize', 'u32', '<6.6.0'),
  field('Unknown2', 'u32', '=5.5.7.1'),
  field('RightToLeft', 'u8', '>=5.2.3'),
];

const messageLayout: readonly Field[] = [
  field('Name', 'text'),
  field('Value', 'bytes'),
  field('LangIndex', 'u32'),
];

/** An array of rights, as bytes. */
const permissionLayout: readonly Field[] = [field('Permissions', 'bytes')];

const typeLayout: readonly Field[] = [
  ...fields('Name Description', 'text'),
  languages,
  check,
  windows,
  field('Options', 'u8'),
  field('Type', 'u8', '>=4.0.3'),
  field('Size', 'u64', '>=4.0.0'),
  field('Size', 'u32', '<4.0.0'),
];

const componentLayout: readonly Field[] = [
  ...fields('Name Description Types', 'text'),
  languages,
  check,
  field('ExtraDiskSpaceRequired', 'u64', '>=4.0.0'),
  field('ExtraDiskSpaceRequired', 'u32', '<4.0.0'),
  ...treePlace,
  windows,
  field('Options', 'u8'),
  field('Size', 'u64', '>=4.0.0'),
  field('Size', 'u32', '>=2.0.0 <4.0.0 || isx >=1.3.24 <2.0.0'),
];

const taskLayout: readonly Field[] = [
  ...fields('Name Description GroupDescription Components', 'text'),
  languages,
  check,
  ...treePlace,
  windows,
  field('Options', 'u8'),
];

const directoryLayout: readonly Field[] = [
  memorySize,
  field('DirName', 'text'),
  ...conditions,
  field('Permissions', 'bytes', '>=4.0.11 <4.1.0'),
  field('Attribs', 'u32', '>=2.0.11'),
  windows,
  permission,
  field('Options', 'u8'),
];

/** Public keys against which files from elsewhere are checked. */
const signatureKeyLayout: readonly Field[] = fields('PublicX PublicY RuntimeID', 'text');

const fileLayout: readonly Field[] = [
  memorySize,
  ...fields('SourceFilename DestName InstallFontName', 'text'),
  field('StrongAssemblyName', 'text', '>=5.2.5'),
  ...conditions,
  ...fields(
    'Excludes DownloadSource DownloadUserName DownloadPassword ExtractArchivePassword',
    'text',
    '>=6.5.0',
  ),
  field('SignatureAllowedKeys', 'bytes', '>=6.5.0'),
  raw('Hash', 32, '>=6.5.0'),
  field('VerificationType', 'u8', '>=6.5.0'),
  windows,
  field('LocationEntry', 'u32'),
  field('Attribs', 'u32'),
  field('ExternalSize', 'u64', '>=4.0.0'),
  field('ExternalSize', 'u32', '<4.0.0'),
  field('CopyMode', 'u8', '<3.0.5'),
  permission,
  field('Bitness', 'u8', '>=7.0.0.3'),
  set(
    'Options',
    [
      'ConfirmOverwrite',
      'UninsNeverUninstall',
      'RestartReplace',
      'DeleteAfterInstall',
      'RegisterServer',
      'RegisterTypeLib',
      'SharedFile',
      'IsReadmeFile <2.0.0 plain',
      'CompareTimeStamp',
      'FontIsntTrueType',
      'SkipIfSourceDoesntExist',
      'OverwriteReadOnly',
      'OverwriteSameVersion >=1.3.21',
      'CustomDestName >=1.3.21',
      'OnlyIfDestFileExists >=1.3.25',
      'NoRegError >=2.0.5',
      'UninsRestartDelete >=3.0.1',
      'OnlyIfDoesntExist >=3.0.5',
      'IgnoreVersion >=3.0.5',
      'PromptIfOlder >=3.0.5',
      'DontCopy >=4.0.0 || isx >=3.0.6.1',
      'UninsRemoveReadOnly >=4.0.5',
      'RecurseSubDirsExternal >=4.1.8',
      'ReplaceSameVersionIfContentsDiffer >=4.2.1',
      'DontVerifyChecksum >=4.2.5',
      'UninsNoSharedFilePrompt >=5.0.3',
      'CreateAllSubDirs >=5.1.0',
      'Only32Bit >=5.1.2 <7.0.0.3',
      'Only64Bit >=5.1.2 <7.0.0.3',
      'ExternalSizePreset >=5.2.0',
      'SetNTFSCompression >=5.2.0',
      'UnsetNTFSCompression >=5.2.0',
      'GacInstall >=5.2.5',
      'Download >=6.5.0',
      'ExtractArchive >=6.5.0',
    ],
    '>=6.7.0',
  ),
  field('FileType', 'u8'),
];

const iconLayout: readonly Field[] = [
  memorySize,
  ...fields('IconName Filename Parameters WorkingDir IconFilename Comment', 'text'),
  ...conditions,
  field('AppUserModelID', 'text', '>=5.3.5'),
  raw('AppUserModelToastActivatorCLSID', 16, '>=6.1.0'),
  windows,
  field('IconIndex', 'u32'),
  field('ShowCmd', 'u32', '>=1.3.24'),
  field('CloseOnExit', 'u8', '>=1.3.15'),
  field('HotKey', 'u16', '>=2.0.7'),
  // five to seven members in every version
  field('Options', 'u8'),
];

const iniLayout: readonly Field[] = [
  memorySize,
  ...fields('Filename Section Entry Value', 'text'),
  ...conditions,
  windows,
  field('Options', 'u8'),
];

const registryLayout: readonly Field[] = [
  memorySize,
  ...fields('Subkey ValueName', 'text'),
  field('ValueData', 'bytes'),
  ...conditions,
  field('Permissions', 'bytes', '>=4.0.11 <4.1.0'),
  windows,
  field('RootKey', 'u32'),
  permission,
  field('Type', 'u8'),
  field('Bitness', 'u8', '>=7.0.0.3'),
  set('Options', [
    'CreateValueIfDoesntExist',
    'UninsDeleteValue',
    'UninsClearValue',
    'UninsDeleteEntireKey',
    'UninsDeleteEntireKeyIfEmpty',
    'PreserveStringType',
    'DeleteKey >=1.3.9',
    'DeleteValue >=1.3.9',
    'NoError >=1.3.12',
    'DontCreateKey >=1.3.16',
    'Only32Bit >=5.1.0 <7.0.0.3',
    'Only64Bit >=5.1.0 <7.0.0.3',
  ]),
];

const deleteLayout: readonly Field[] = [
  memorySize,
  field('Name', 'text'),
  ...conditions,
  windows,
  field('DeleteType', 'u8'),
];

const runLayout: readonly Field[] = [
  memorySize,
  ...fields('Name Parameters WorkingDir', 'text'),
  field('RunOnceId', 'text', '>=1.3.9'),
  field('StatusMsg', 'text', '>=2.0.2'),
  field('Verb', 'text', '>=5.1.13'),
  field('Description', 'text', '>=2.0.0 || isx'),
  ...conditions,
  field('OnLog', 'text', '>=7.0.0.1'),
  windows,
  field('ShowCmd', 'u32', '>=1.3.24'),
  field('Wait', 'u8'),
  field('Bitness', 'u8', '>=7.0.0.3'),
  set('Options', [
    'ShellExec',
    'SkipIfDoesntExist >=1.3.9 || isx >=1.3.8',
    'PostInstall >=2.0.0',
    'Unchecked >=2.0.0',
    'SkipIfSilent >=2.0.0',
    'SkipIfNotSilent >=2.0.0',
    'HideWizard >=2.0.8',
    'Run32Bit >=5.1.10 <7.0.0.3',
    'Run64Bit >=5.1.10 <7.0.0.3',
    'RunAsOriginalUser >=5.2.0',
    'DontLogParameters >=6.1.0',
    'LogOutput >=6.3.0',
  ]),
];

/** The kinds of records behind the languages, in their order, with the header field that counts them. */
export const recordLayouts = [
  { kind: 'message', count: 'NumMessages', layout: messageLayout },
  { kind: 'permission', count: 'NumPermissions', layout: permissionLayout },
  { kind: 'type', count: 'NumTypes', layout: typeLayout },
  { kind: 'component', count: 'NumComponents', layout: componentLayout },
  { kind: 'task', count: 'NumTasks', layout: taskLayout },
  { kind: 'directory', count: 'NumDirs', layout: directoryLayout },
  { kind: 'signatureKey', count: 'NumISSigKeys', layout: signatureKeyLayout },
  { kind: 'file', count: 'NumFiles', layout: fileLayout },
  { kind: 'icon', count: 'NumIcons', layout: iconLayout },
  { kind: 'ini', count: 'NumIni', layout: iniLayout },
  { kind: 'registry', count: 'NumRegistry', layout: registryLayout },
  { kind: 'installDelete', count: 'NumInstallDelete', layout: deleteLayout },
  { kind: 'uninstallDelete', count: 'NumUninstallDelete', layout: deleteLayout },
  { kind: 'run', count: 'NumRun', layout: runLayout },
  { kind: 'uninstallRun', count: 'NumUninstallRun', layout: runLayout },
] as const;

export type RecordKind = (typeof recordLayouts)[number]['kind'];

/** `TSetupFileLocationEntry`: where the bytes of a file are, in a block of their own behind the header. */
export const locationLayout: readonly Field[] = [
  ...fields('FirstSlice LastSlice', 'u32'),
  field('StartOffset', 'u32', '<6.5.2'),
  field('StartOffset', 'u64', '>=6.5.2'),
  field('ChunkSuboffset', 'u64', '>=4.0.1'),
  ...fields('OriginalSize ChunkCompressedSize', 'u64', '>=4.0.0'),
  ...fields('OriginalSize ChunkCompressedSize', 'u32', '<4.0.0'),
  raw('Adler32', 4, '<4.0.1'),
  raw('Crc32', 4, '>=4.0.1 <4.2.0'),
  raw('Md5', 16, '>=4.2.0 <5.3.9'),
  raw('Sha1', 20, '>=5.3.9 <6.4.0'),
  raw('Sha256', 32, '>=6.4.0'),
  raw('TimeStamp', 8),
  ...fields('FileVersionMS FileVersionLS', 'u32'),
  set('Flags', [
    'VersionInfoValid',
    'VersionInfoNotValid <6.4.3',
    'BZipped >=2.0.17 <4.0.1',
    'TimeStampInUTC >=4.0.10',
    'IsUninstExe >=4.1.0 <6.4.3',
    'CallInstructionOptimized >=4.1.8',
    'Touch >=4.2.0 <6.4.3',
    'ChunkEncrypted >=4.2.2',
    'ChunkCompressed >=4.2.5',
    'SolidBreak >=5.1.13 <6.4.3',
    'Sign >=5.5.7 <6.3.0',
    'SignOnce >=5.5.7 <6.3.0',
  ]),
  field('Sign', 'u8', '>=6.3.0 <6.4.3'),
];
