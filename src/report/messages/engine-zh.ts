/*
 * What the engine says, in simplified Chinese: each text of the source, `{0}` where something is put in, with its
 * translation. `{0!}` is a hole whose content is such a text itself. test/report/engine-texts.test.ts holds this list
 * against the source: a text that is missing here, one that no longer exists, and holes that differ fail there.
 *
 * A message says of a file what stands behind its name: it has no subject of its own.
 */
export const engineTexts: Readonly<Record<string, string>> = {
  // bytes/budget.ts
  'unpacked more than {0} bytes in all': '解包总量超过 {0} 字节',
  'unpacked more than {0} times the size of the file': '解包总量超过文件大小的 {0} 倍',
  'holds more than {0} members in all': '总共含有超过 {0} 个成员',
  'nested more than {0} containers deep': '容器嵌套超过 {0} 层',
  'took more than {0} ms': '耗时超过 {0} 毫秒',
  // bytes/byte-source.ts
  'wants {0} bytes at offset {1}, but there are {2} bytes': '需要偏移 {1} 处的 {0} 字节，但只有 {2} 字节',
  // bytes/cursor.ts
  'holds the number {0}, too large for an offset or length': '含有数字 {0}，作为偏移或长度过大',
  // bytes/deflate.ts
  'holds a code that stands for nothing': '含有不代表任何内容的编码',
  'compressed data {0}': '压缩数据{0!}',
  'compressed data ends before its end mark': '压缩数据在结束标记之前就结束了',
  'announces more codes than there are': '声明的编码多于可能的数目',
  'has an invalid code for its code lengths': '码长的编码无效',
  'repeats a code length before the first one': '在第一个码长之前就重复码长',
  'repeats a code length too often': '重复码长的次数过多',
  'has no code for the end of a block': '没有表示块结束的编码',
  'has an invalid set of codes': '编码集合无效',
  'has a block of an unknown type': '含有类型未知的块',
  'has a stored block whose lengths disagree': '含有长度互相矛盾的存储块',
  'has an invalid length code': '长度编码无效',
  'has an invalid distance code': '距离编码无效',
  'points back before its own start': '回指到自身开头之前',
  // platform/files.ts
  'is not a regular file': '不是普通文件',
  'became shorter while it was read': '读取过程中变短了',
  'changed its size while it was read': '读取过程中大小改变了',
  'unknown error': '未知错误',
  'does not exist': '不存在',
  'may not be read (permission denied)': '不允许读取（权限不足）',
  'may not be read (operation not permitted)': '不允许读取（操作不被允许）',
  'is a folder': '是文件夹',
  'is a chain of links without end': '是没有尽头的链接链',
  'could not be read ({0})': '无法读取（{0!}）',
  'is larger than {0} bytes': '大于 {0} 字节',
  // platform/folders.ts
  'is neither a file nor a folder': '既不是文件也不是文件夹',
  'is a link to a folder elsewhere; such links are not followed': '是指向别处文件夹的链接；不跟随这类链接',
  // platform/inflate.ts
  'gzip data has another length than it states': 'gzip 数据的长度与其声明不符',
  'has no gzip header': '没有 gzip 头',
  'zlib data needs a dictionary that it does not carry': 'zlib 数据需要一个未附带的字典',
  'has no zlib header': '没有 zlib 头',
  'ends before the checksum of its compressed data': '在压缩数据的校验和之前就结束了',
  'ends inside its {0} header': '在其 {0} 头内部就结束了',
  '{0} data does not have the checksum that it states': '{0} 数据与其声明的校验和不符',
  'unknown fault': '未知故障',
  'compressed data is refused by zlib ({0})': '压缩数据被 zlib 拒绝（{0!}）',
  // platform/ordinary-zip.ts
  'ordinary software refuses the archive ({0})': '普通软件拒绝该压缩包（{0}）',
  // platform/sevenzip-module.ts
  'the 7-Zip decoder could not be loaded ({0})': '无法加载 7-Zip 解码器（{0}）',
  'the 7-Zip decoder wants "{0}", which it is not given': '7-Zip 解码器需要“{0}”，但未提供给它',
  // formats/apk/axml.ts
  'has a compiled XML file that says it is of type 0x{0}': '含有声称类型为 0x{0} 的编译后 XML 文件',
  'it is read as XML all the same, as Android does; other tools may refuse it':
    '仍像 Android 那样按 XML 读取；其他工具可能拒绝它',
  'has elements nested more than {0} deep': '元素嵌套超过 {0} 层',
  'has more than {0} elements': '元素超过 {0} 个',
  'what the rest of the manifest says is not known': '清单其余部分的内容未知',
  'manifest {0}': '清单{0!}',
  'no name in the manifest is known': '清单中的名称均不可知',
  'what that element of the manifest says is not known': '清单中该元素的内容未知',
  'has an element without a head': '含有没有头部的元素',
  'has an element with {0} attributes of {1} bytes that do not fit into it':
    '含有一个元素，其 {0} 个各 {1} 字节的属性放不进去',
  // formats/apk/index.ts
  'Android package': 'Android 软件包',
  'bundle of Android packages': 'Android 软件包的合集',
  'Android App Bundle': 'Android App Bundle',
  'what its manifest says is not known': '其清单的内容未知',
  'texts that its manifest takes from there are not known': '其清单从那里取用的文本未知',
  'has no manifest that its central directory lists': '没有被中央目录列出的清单',
  'the name of the package is not known': '包名未知',
  'has a manifest of more than {0} bytes': '清单超过 {0} 字节',
  'has a manifest that names no package': '清单没有写出包名',
  'begins with an Android program of {0} bytes and is a package as well':
    '以一个 {0} 字节的 Android 程序开头，同时又是软件包',
  'Android 5 to 8 may run the program in front, which no v1 signature covers (CVE-2017-13156); it is looked at as a part of its own':
    'Android 5 至 8 可能运行前面的程序，而 v1 签名不覆盖它（CVE-2017-13156）；已把它作为单独的部分检查',
  'has a member that {0}: {1}': '含有一个成员，{0!}：{1}',
  'it is read as Android reads it; other software reads something else or nothing':
    '按 Android 的方式读取；其他软件会读到别的内容或读不到',
  'what the list of the packages says is not known': '软件包列表的内容未知',
  'has a list of its packages that is no JSON': '软件包列表不是 JSON',
  // formats/apk/manifest.ts
  'has a manifest that says more than {0} things': '清单声明的事项超过 {0} 条',
  'what the rest of it says is not listed': '其余声明未列出',
  // formats/apk/members.ts
  'is listed, but there is no local header where the list says': '被列出，但在列表所指的位置没有本地文件头',
  'unpacks to more than {0} bytes': '解包后超过 {0} 字节',
  'is marked as encrypted, which Android does not look at': '被标记为已加密，而 Android 不看这个标记',
  'is marked as packed with method {0}, which Android takes for not packed':
    '被标记为以方法 {0} 压缩，而 Android 把它当作未压缩',
  // formats/apk/proto-xml.ts
  'has a field of a kind that does not exist': '含有类型不存在的字段',
  'has a number of more than ten bytes': '含有超过十个字节的数字',
  'has a manifest of more than {0} elements or {1} levels': '清单超过 {0} 个元素或 {1} 层',
  'has an element of more than {0} parts': '含有超过 {0} 个部分的元素',
  'what a part of the manifest says is not known': '清单中一部分的内容未知',
  // formats/apk/resource-chunks.ts
  'ends inside the header of a chunk': '在数据块的头部内部就结束了',
  'has a chunk of type 0x{0} that says it has {1} bytes, {2} of them header; {3} are there':
    '含有类型为 0x{0} 的数据块，自称 {1} 字节，其中头部 {2} 字节；实有 {3} 字节',
  // formats/apk/resources-arsc.ts
  'table of resources {0}': '资源表{0!}',
  'does not begin with a table of resources': '开头不是资源表',
  'names and texts that the manifest takes from there are not known': '清单从那里取用的名称和文本未知',
  'has more than {0} tables of types': '类型表超过 {0} 个',
  'has references that lead to each other': '含有互相指向的引用',
  'needs more than {0} entries for one resource': '一个资源需要超过 {0} 个条目',
  'has an entry that lies outside of its table': '含有位于其表之外的条目',
  'has a table of types that is cut': '含有被截断的类型表',
  // formats/apk/signing-block.ts
  'The end of the package is missing.': '软件包的末尾缺失。',
  '{0} bytes follow the end of the package.': '软件包末尾之后还有 {0} 字节。',
  'The package ends inside its comment.': '软件包在其注释内部就结束了。',
  'The package has a zip64 end record, which Android does not take.':
    '软件包含有 Android 不接受的 zip64 结束记录。',
  'The list of members is not where the end record of the package puts it.':
    '成员列表不在软件包结束记录所指的位置。',
  'it says that it has {0} bytes': '自称有 {0} 字节',
  'its two sizes are not the same': '两处大小不一致',
  'it has more than {0} parts': '超过 {0} 个部分',
  '{0} bytes behind its last part belong to none': '最后一部分之后有 {0} 字节不属于任何部分',
  'a part of it says that it has {0} bytes': '其中一部分自称有 {0} 字节',
  // formats/apk/string-pool.ts
  'has a pool of strings without a header': '含有没有头部的字符串池',
  'says that it has {0} strings, where there is room for {1}': '自称有 {0} 个字符串，而空间只够 {1} 个',
  'strings beyond that number are not known': '超出该数目的字符串未知',
  'a name or a text is therefore not known': '因此有一个名称或文本未知',
  'has a string that begins outside of its pool': '含有起点在字符串池之外的字符串',
  'has a string of {0} bytes that leaves its pool': '含有超出其池的 {0} 字节字符串',
  'has strings that share their bytes, more than are decoded': '含有共用字节的字符串，总量超过解码上限',
  // formats/appx/block-map.ts
  'is no block map': '不是块映射',
  'has digests of a kind that is not read': '含有不读取的摘要种类',
  'lists a file without name or size': '列出了没有名称或大小的文件',
  // formats/appx/footprint.ts
  'ends too early': '过早结束',
  // formats/appx/index.ts
  'Windows app package (APPX, MSIX)': 'Windows 应用包（APPX、MSIX）',
  'bundle of Windows app packages': 'Windows 应用包的合集',
  'what it says about the package is not known': '它对软件包的说明未知',
  'what the package says of itself is not known, or not all of it': '软件包对自身的说明未知，或不完全知道',
  'has no manifest': '没有清单',
  'has a manifest that {0}': '清单{0!}',
  'its files were not compared with the digests that it states': '未将其文件与它声明的摘要比对',
  'has no block map': '没有块映射',
  'has a block map that was not compared: it {0}': '块映射未经比对：它{0!}',
  ' (and {0} more differences)': '（另有 {0} 处差异）',
  'does not agree with its block map: {0}{1}': '与其块映射不一致：{0!}{1!}',
  'it is not as it was packed; Windows does not install it': '已不是打包时的样子；Windows 不会安装它',
  '{0} has another size': '{0} 的大小不同',
  'block {0} of {1} has other bytes': '{1} 的第 {0} 块字节不同',
  'the local header of {0} has another size': '{0} 的本地文件头大小不同',
  '{0} is missing': '缺少 {0}',
  '{0} is not in the map': '{0} 不在映射中',
  '{0} cannot be unpacked whole': '{0} 无法完整解包',
  '{0} is in the map twice': '{0} 在映射中出现两次',
  // formats/ar.ts
  'holds more than {0} members': '含有超过 {0} 个成员',
  'the rest was not looked at': '其余部分未检查',
  'ends inside the header of a member': '在成员的头部内部就结束了',
  'has a member header that is none': '有一处成员头并不是成员头',
  'this member and those behind it were not looked at': '该成员及其后的成员未检查',
  '{0} should have {1} bytes, {2} are there': '{0} 应有 {1} 字节，实有 {2} 字节',
  'the rest of it and members behind it are missing': '其余部分及其后的成员缺失',
  'lists the digests of more than {0} files': '列出了超过 {0} 个文件的摘要',
  'the others are known only from the data archive': '其他文件只能从数据包得知',
  'Debian package': 'Debian 软件包',
  'ar archive': 'ar 归档',
  'is a thin archive, whose members lie in other files': '是瘦归档，其成员在其他文件中',
  'its members were not looked at': '其成员未检查',
  // formats/asar.ts
  'Electron archive (asar)': 'Electron 归档（asar）',
  'has members that take more bytes together than the archive has; the seals of {0} were not checked':
    '成员合计字节多于归档所有；{0} 的封印未检查',
  'whether these members are those that were packed is not known': '这些成员是否为打包时的成员，无从知道',
  'has a header whose sizes contradict each other': '头部的各个大小互相矛盾',
  'has a header of {0} bytes, more than are read': '头部有 {0} 字节，超过读取上限',
  'ends inside its header': '在其头部内部就结束了',
  'states two sizes for its header that differ': '为头部声明了两个不同的大小',
  'software may look for the members at different places': '不同软件可能在不同位置寻找成员',
  'too deeply nested': '嵌套过深',
  'not JSON': '不是 JSON',
  'has a header that is {0}': '头部{0!}',
  'has a header without a list of files': '头部没有文件列表',
  'has a header that is not valid UTF-8': '头部不是有效的 UTF-8',
  'some names may be shown wrongly': '有些名称可能显示有误',
  'has a header nested more than {0} deep': '头部嵌套超过 {0} 层',
  'has a header with more than {0} values': '头部的值超过 {0} 个',
  'lists files whose names have more than {0} characters together': '列出的文件名合计超过 {0} 个字符',
  'lists more than {0} files, folders and links': '列出超过 {0} 个文件、文件夹和链接',
  'is neither a file nor a folder nor a link': '既不是文件、文件夹，也不是链接',
  'is listed as a folder and as a file or link at once': '同时被列为文件夹和文件或链接',
  'points to a place that {0}': '指向的位置{0!}',
  'is not the name of one file or folder': '不是单个文件或文件夹的名称',
  'is a property of every JavaScript object, which careless software overwrites':
    '是每个 JavaScript 对象都有的属性，粗心的软件会覆盖它',
  'holds a member whose name {0}: {1}': '含有一个成员，其名称{0!}：{1}',
  'nothing is written here, but other software may write outside its folder or fail':
    '这里不写出任何文件，但其他软件可能写到其文件夹之外或出错',
  'software may disagree about what it is': '不同软件对它是什么可能有分歧',
  '{0} has no usable offset and size': '{0} 没有可用的偏移和大小',
  'its bytes were not found': '未找到其字节',
  '{0} should have {1} bytes at offset {2}, {3} are there': '{0} 应在偏移 {2} 处有 {1} 字节，实有 {3} 字节',
  'the rest of it is missing': '其余部分缺失',
  'it is missing': '它缺失了',
  'whether its bytes are those that were packed is not known': '其字节是否为打包时的字节，无从知道',
  'has a seal that is none': '有一处封印并不是封印',
  'is sealed with another method than SHA-256': '以 SHA-256 之外的方法封印',
  'has a seal without a SHA-256': '封印没有 SHA-256',
  '{0} has the SHA-256 that the archive states, but block {1} has not':
    '{0} 与归档声明的 SHA-256 相符，但第 {1} 块不符',
  '{0} does not have the SHA-256 that the archive states': '{0} 与归档声明的 SHA-256 不符',
  'the header of the archive was changed, or was never right': '归档的头部被改动过，或从来就不正确',
  'its bytes are not those that were packed': '其字节不是打包时的字节',
  '{0} shares bytes with {1}': '{0} 与 {1} 共用字节',
  'one file is a disguised part of another; both were looked at':
    '一个文件是另一个文件的伪装部分；两者都已检查',
  'holds {0} bytes that belong to no listed file': '有 {0} 字节不属于任何列出的文件',
  'ordinary software does not show them; they were searched as bytes, and not all of them opened':
    '普通软件不显示它们；已作为字节搜索，并非全部打开',
  'ordinary software does not show them': '普通软件不显示它们',
  'lies at offset {0}, behind the end of the archive': '位于偏移 {0}，在归档末尾之后',
  // formats/bounded-report.ts
  'has more than {0} faults': '故障超过 {0} 个',
  'the other faults are not listed, and what they hide was not looked at':
    '其他故障未列出，被其掩盖的内容未检查',
  'the other faults are not listed': '其他故障未列出',
  // formats/cfb.ts
  'has {0} bytes behind its last sector': '最后一个扇区之后有 {0} 字节',
  'they belong to no stream; they were looked at as a part of their own':
    '它们不属于任何流；已作为单独的部分检查',
  'OLE compound file': 'OLE 复合文件',
  // formats/cfb/compound-file.ts
  'has more than {0} faults in its structure': '结构中的故障超过 {0} 个',
  'further faults of its structure are not told': '不再列出结构中的其他故障',
  'has no directory that could be read': '没有可读取的目录',
  'has a directory that does not begin with the root': '目录开头不是根',
  'its first entry was taken for the root, other software may refuse the file':
    '已把第一个条目当作根，其他软件可能拒绝该文件',
  'sectors of {0} bytes in version {1}': '版本 {1} 中 {0} 字节的扇区',
  'an unknown byte order': '未知的字节序',
  'small sectors of 2^{0} bytes': '2^{0} 字节的小扇区',
  'a limit of {0} bytes for small streams': '小流的上限 {0} 字节',
  'states {0} in its header': '头部声明了{0!}',
  'it was read with the usual values; other software may refuse the file or see other bytes':
    '已按通常的值读取；其他软件可能拒绝该文件或看到别的字节',
  'counts {0} sectors of its allocation table, but lists {1}': '称分配表有 {0} 个扇区，却列出 {1} 个',
  'streams may end early or be missing': '流可能提前结束或缺失',
  'has {0} whose chain of sectors {1}': '有{0!}，其扇区链{1!}',
  'a directory': '目录',
  'a table of small sectors': '小扇区表',
  'a stream of small sectors': '小扇区的流',
  'should have {0} bytes of small streams, {1} are there': '小流应有 {0} 字节，实有 {1} 字节',
  'small streams are cut or missing': '小流被截断或缺失',
  'nests storages more than {0} deep': '存储嵌套超过 {0} 层',
  'what is deeper was not looked at': '更深的内容未检查',
  'has a directory that {0}': '目录{0!}',
  'entries behind that place are missing, or are listed as belonging to no storage':
    '该位置之后的条目缺失，或被列为不属于任何存储',
  'names entry {0} of {1}': '指名第 {0} 个条目，共 {1} 个',
  'names entry {0} twice': '两次指名第 {0} 个条目',
  'has more than {0} entries': '条目超过 {0} 个',
  'names entry {0}, which is of the unknown type {1}': '指名第 {0} 个条目，其类型 {1} 未知',
  'has two entries named {0} in {1}': '{1} 中有两个名为 {0} 的条目',
  'both were looked at; other software sees only one of them': '两者都已检查；其他软件只看到其中一个',
  'has an entry whose name has an impossible length': '有一个条目的名称长度不可能存在',
  'the name was read as far as it goes': '名称已读到能读的地方',
  'has a stream {0} that should have {1} bytes, {2} are there{3}': '流 {0} 应有 {1} 字节，实有 {2} 字节{3!}',
  ': its chain of sectors {0}': '：其扇区链{0!}',
  'the rest of the stream is missing': '流的其余部分缺失',
  'has a stream {0} whose chain of sectors {1}': '流 {0} 的扇区链{1!}',
  'the bytes were read as the chain gives them; other software may refuse the file':
    '字节按扇区链读取；其他软件可能拒绝该文件',
  'has {0} streams that belong to no storage, the first is {1}': '有 {0} 个流不属于任何存储，第一个是 {1}',
  'they were looked at; other software does not show them': '已检查；其他软件不显示它们',
  'shares sectors with another one': '与另一条共用扇区',
  'ends there': '在那里结束',
  'leads to a sector that is not in use': '通向未使用的扇区',
  'goes on from sector {0}, which the allocation table does not reach': '从分配表达不到的扇区 {0} 继续',
  'leads out of the file, to sector {0}': '通出文件，到扇区 {0}',
  'runs in a circle': '绕成圈',
  'runs over sectors of other streams for too long': '在其他流的扇区上走得太久',
  // formats/cfb/sectors.ts
  'does not begin as a compound file': '开头不是复合文件',
  'ends inside its header of {0} bytes': '在其 {0} 字节的头部内部就结束了',
  'is a compound file of version {0}': '是版本 {0} 的复合文件',
  'states sectors of 2^{0} bytes': '声明了 2^{0} 字节的扇区',
  'names sector {0} for its allocation table, but has {1} sectors': '为分配表指名扇区 {0}，但只有 {1} 个扇区',
  'names sector {0} twice for its allocation table': '为分配表两次指名扇区 {0}',
  'ends inside the list of its allocation table': '在其分配表的列表内部就结束了',
  'its chain of sectors ends {0} bytes early': '其扇区链提前 {0} 字节结束',
  // formats/codecs/bzip2.ts
  'the compressed stream ends too early': '压缩流过早结束',
  'has no bzip2 header': '没有 bzip2 头',
  'bzip2 data does not match its checksum': 'bzip2 数据与其校验和不符',
  'has a block of an unknown kind': '含有种类未知的块',
  'a bzip2 block does not match its checksum': '一个 bzip2 块与其校验和不符',
  'has a randomised bzip2 block': '含有随机化的 bzip2 块',
  'has a block whose start lies outside of it': '有一个块的起点在块外',
  'has a block without any byte': '有一个没有任何字节的块',
  'has a block with an impossible set of codes': '有一个块的编码集合不可能存在',
  'selects a code that there is not': '选用了不存在的编码',
  'has a code of an impossible length': '编码的长度不可能存在',
  'has a block with more symbols than it announces': '有一个块的符号多于其声明',
  'has a block that is too long': '有一个过长的块',
  // formats/codecs/lzma.ts
  'has LZMA properties out of range (lc {0}, lp {1}, pb {2})': 'LZMA 属性超出范围（lc {0}、lp {1}、pb {2}）',
  'the compressed stream does not start with a zero byte': '压缩流不以零字节开头',
  'the compressed stream points before its own start': '压缩流回指到自身开头之前',
  'the compressed stream ends after {0} of {1} bytes': '压缩流在 {1} 字节中的第 {0} 字节处结束',
  'the compressed stream holds more than {0} bytes': '压缩流超过 {0} 字节',
  'would need {0} bytes of memory': '需要 {0} 字节内存',
  'would need {0} bytes of memory for the dictionary': '字典需要 {0} 字节内存',
  'has LZMA2 properties out of range': 'LZMA2 属性超出范围',
  'the first chunk does not reset the dictionary': '第一个数据块没有重置字典',
  'has a chunk of the unknown kind {0}': '含有种类 {0} 未知的数据块',
  'the first compressed chunk has no properties': '第一个压缩数据块没有属性',
  'a chunk does not hold as many bytes as it says': '有一个数据块的字节数与其声明不符',
  // formats/codecs/nrv.ts
  'the compressed stream holds an offset that is too large': '压缩流含有过大的偏移',
  // formats/dex.ts
  'Android program (DEX)': 'Android 程序（DEX）',
  'is a Compact DEX program, which is not read': '是 Compact DEX 程序，不读取',
  'has its numbers in reversed byte order, which no Android runs': '数字的字节序颠倒，任何 Android 都不运行',
  'has the byte order mark 0x{0}, which is none': '字节序标记为 0x{0}，并不存在',
  'the names of its classes are not known; its bytes were searched': '其类的名称未知；其字节已搜索',
  'states a size of {0} bytes, {1} are there': '声明大小为 {0} 字节，实有 {1} 字节',
  'its checksum and signature cannot be checked, and what is missing was not looked at':
    '其校验和与签名无法核对，缺失的部分未检查',
  'is followed by {0} bytes that do not belong to it': '其后有 {0} 字节不属于它',
  'neither its checksum nor its signature covers them; they were searched':
    '其校验和与签名都不覆盖它们；已搜索',
  'does not have the checksum that its header states': '与其头部声明的校验和不符',
  'it was changed after it was made, or damaged; Android refuses it': '制成之后被改动或损坏；Android 拒绝它',
  'does not have the SHA-1 that its header states': '与其头部声明的 SHA-1 不符',
  'it was changed after it was made; Android runs it all the same': '制成之后被改动；Android 仍会运行它',
  'defines {0} classes, of which {1} could not be named': '定义了 {0} 个类，其中 {1} 个无法得知名称',
  'which packages these classes belong to is not known': '这些类属于哪些包，无从知道',
  // formats/elf.ts
  'has a class or byte order that does not exist': '字长类别或字节序不存在',
  'program header': '程序头表',
  'section header': '节头表',
  'has a {0} {1}': '{0!}{1!}',
  'what the rest of it describes was not looked at by its structure; its bytes were searched':
    '其余部分所描述的内容未按结构检查；其字节已搜索',
  'with entries of {0} bytes, too few': '的条目为 {0} 字节，过小',
  'of {0} entries, of which {1} are there': '有 {0} 个条目，实有 {1} 个',
  'of more than {0} entries': '的条目超过 {0} 个',
  'should have {0} more bytes by its headers': '按其头部还应有 {0} 字节',
  'what would be in them is missing': '其中应有的内容缺失',
  'has a table of names for linking that lies in no loaded part': '链接用名称表不在任何加载的部分中',
  'the libraries that it needs are not known': '它需要的库未知',
  'ELF program or library': 'ELF 程序或库',
  // formats/gzip.ts
  'gzip file': 'gzip 文件',
  'states an original name that {0}: {1}': '声明的原始名称{0!}：{1}',
  'nothing is written here, but other software may write outside its folder or show another name':
    '这里不写出任何文件，但其他软件可能写到其文件夹之外或显示别的名称',
  // formats/inno/block.ts
  'ends {0} bytes before its setup data does': '比其安装数据早 {0} 字节结束',
  'has setup data that unpacks to more than {0} bytes': '安装数据解包后超过 {0} 字节',
  'ends before its setup data': '在其安装数据之前就结束了',
  'has setup data whose header does not match its checksum': '安装数据的头部与其校验和不符',
  'has setup data that ends in a checksum': '安装数据在校验和内部结束',
  'has setup data that does not match its checksum': '安装数据与其校验和不符',
  'has setup data without a zlib header': '安装数据没有 zlib 头',
  'ends before its compressed data': '在其压缩数据之前就结束了',
  // formats/inno/files.ts
  'has bytes in its compressed data that belong to no file': '压缩数据中有不属于任何文件的字节',
  'these bytes were not looked at; the installer does not use them': '这些字节未检查；安装程序不使用它们',
  'its data is in "{0}", which was not given': '其数据在未提供的“{0}”中',
  'it was not looked at': '未检查',
  'its data lies at an impossible place': '其数据的位置不可能存在',
  'the installer ends before its data': '安装程序在其数据之前就结束了',
  'is encrypted with a password': '以密码加密',
  'there is no compressed data at the place where its data should be': '其数据应在的位置没有压缩数据',
  'has an LZMA2 dictionary of an impossible size': 'LZMA2 字典的大小不可能存在',
  'its compressed data ends too early': '其压缩数据过早结束',
  'its compressed data is damaged: {0}': '其压缩数据已损坏：{0!}',
  'what was unpacked before that place was searched, the rest was not':
    '该位置之前解包的内容已搜索，其余未搜索',
  'does not have the checksum that the installer holds for it': '与安装程序为它保存的校验和不符',
  'the installer was changed or damaged after it was made; what was unpacked was searched as it is':
    '安装程序在制成之后被改动或损坏；已按解包出的内容搜索',
  // formats/inno/header.ts
  'ends before its Inno Setup data': '在其 Inno Setup 数据之前就结束了',
  'has no Inno Setup data where its loader would look for it': '在加载程序会寻找的位置没有 Inno Setup 数据',
  'is an Inno Setup installer of the unknown version "{0}"': '是未知版本“{0}”的 Inno Setup 安装程序',
  'the list of installed files may be wrong or cut off': '所安装文件的列表可能有误或被截断',
  'some installed files may not have been found': '可能有些所安装的文件未找到',
  'the installed files could not be found': '未能找到所安装的文件',
  'the installed files were not looked at': '所安装的文件未检查',
  'has Inno Setup data whose encryption header does not match its checksum':
    'Inno Setup 数据的加密头与其校验和不符',
  'whether its files are encrypted is taken from the files themselves': '其文件是否加密，从文件本身判断',
  'is an Inno Setup installer that is encrypted as a whole': '是整体加密的 Inno Setup 安装程序',
  'is encrypted in an unknown way ({0})': '以未知方式加密（{0}）',
  'has Inno Setup data ({0}) that does not have the layout that belongs to its version':
    'Inno Setup 数据（{0}）的布局与其版本不符',
  'what was read may be wrong, and some installed files may not have been found':
    '读到的内容可能有误，可能有些所安装的文件未找到',
  'has more records in its Inno Setup data than the {0} that are read':
    'Inno Setup 数据的记录多于读取上限 {0}',
  'has {0} bytes in its Inno Setup data behind the last record':
    'Inno Setup 数据在最后一条记录之后有 {0} 字节',
  'has Inno Setup data that ends inside its records, of which {0} were read':
    'Inno Setup 数据在其记录内部结束，已读取 {0} 条',
  'has more than {0} pictures of one kind': '同一种图片超过 {0} 张',
  'has {0} locations of files that can be read in its Inno Setup data, where {1} are promised':
    'Inno Setup 数据中可读的文件位置有 {0} 处，承诺的是 {1} 处',
  'has {0} bytes in its Inno Setup data behind the last location of a file':
    'Inno Setup 数据在最后一处文件位置之后有 {0} 字节',
  'has a file entry that points to location {0} of {1}': '有一个文件条目指向位置 {0}，共 {1} 处',
  'has a file entry of the unknown kind {0}': '有一个文件条目的种类 {0} 未知',
  // formats/inno/index.ts
  'ends {0} bytes before its Inno Setup loader expects it to':
    '比其 Inno Setup 加载程序预期的早 {0} 字节结束',
  'some installed files may be missing or cut off': '可能有些所安装的文件缺失或被截断',
  'Inno Setup data': 'Inno Setup 数据',
  // formats/inno/offset-table.ts
  'is an Inno Setup installer whose offset table has an unknown layout':
    '是偏移表布局未知的 Inno Setup 安装程序',
  'is an Inno Setup installer whose offset table has the unknown revision {0}':
    '是偏移表修订号 {0} 未知的 Inno Setup 安装程序',
  'has an Inno Setup offset table that does not match its own checksum; the installer would refuse to run':
    'Inno Setup 偏移表与其自身的校验和不符；安装程序会拒绝运行',
  'its offsets are used as they are': '其偏移按原样使用',
  'has an Inno Setup offset table that is cut off or holds impossible offsets':
    'Inno Setup 偏移表被截断或含有不可能的偏移',
  // formats/inno/setup-program.ts
  'unpacks to more than a setup program has': '解包后多于安装程序应有的内容',
  // formats/ipa.ts
  'has more than {0} bytes': '超过 {0} 字节',
  '"{0}" cannot be read: {1}': '“{0}”无法读取：{1!}',
  'what the package says of itself is not known': '软件包对自身的说明未知',
  'iOS application package': 'iOS 应用包',
  // formats/iso9660
  'states {0} places or sizes differently in its two byte orders':
    '有 {0} 处位置或大小在两种字节序中写得不同',
  'what software sees that goes by the other one was not looked at':
    '按另一种字节序读取的软件所见的内容未检查',
  'is stored in pieces with gaps between them (interleaved)': '以带间隔的分段方式（交错）存储',
  'its content was searched as part of the image, not as a file':
    '其内容已作为映像的一部分搜索，未作为文件检查',
  'lies at offset {0}, behind the end of the image': '位于偏移 {0}，在映像末尾之后',
  'the root directory': '根目录',
  'the folder {0}': '文件夹 {0}',
  'lists {0} where another folder lies already': '把{0!}列在另一个文件夹已占用的位置',
  'what is in it is listed once, under the other name': '其中的内容只在另一个名称下列出一次',
  'holds folders more than {0} deep': '文件夹嵌套超过 {0} 层',
  'the folders from there on were not looked at': '从那里起的文件夹未检查',
  'lists a file that goes on in another record, which is not there':
    '列出了一个在另一条记录中延续的文件，而该记录不存在',
  'the rest of the file is missing': '该文件的其余部分缺失',
  'has directories of more than {0} bytes': '目录总量超过 {0} 字节',
  'lists {0} behind its end': '把{0!}列在其末尾之后',
  'what was in it is missing': '其中的内容缺失',
  'has a record in {0} that is none': '{0!}中有一条无效的记录',
  'this file and those behind it in the same sector were not looked at': '该文件及同一扇区中其后的文件未检查',
  'has volume descriptors without an end': '卷描述符没有结束标记',
  'has a volume descriptor of an unknown version': '卷描述符的版本未知',
  'has blocks of {0} bytes': '块大小为 {0} 字节',
  'has no volume descriptor': '没有卷描述符',
  'has a boot catalogue with an entry that is none': '启动目录中有无效的条目',
  'has more than {0} images to start from': '可启动的映像超过 {0} 个',
  'images to start from may be missing among the members': '成员中可能缺少可启动的映像',
  'has a boot catalogue whose checksum does not hold': '启动目录的校验和不成立',
  // formats/macho/code-signature.ts
  'the code signature has more than {0} bytes': '代码签名超过 {0} 字节',
  'the code signature does not have the magic of one': '代码签名没有代码签名的标识',
  'the code signature states {0} bytes, and has {1}': '代码签名声明 {0} 字节，实有 {1} 字节',
  'the code signature has {0} parts, more than {1}': '代码签名有 {0} 个部分，超过 {1} 个',
  'a part of the code signature lies at {0}, outside of it': '代码签名的一部分位于 {0}，在签名之外',
  'a part of the code signature states {0} bytes, which cannot be': '代码签名的一部分声明 {0} 字节，不可能',
  'the code signature has no code directory': '代码签名没有代码目录',
  'the signature does not have the magic of one': '签名没有签名的标识',
  'the code directory {0}': '代码目录{0!}',
  'does not have the magic of one': '没有应有的标识',
  'a code directory has the version 0x{0}': '一个代码目录的版本为 0x{0}',
  'states {0} bytes a digest for the digest type {1}': '为摘要类型 {1} 声明每个摘要 {0} 字节',
  'states pages of 2^{0} bytes': '声明了 2^{0} 字节的页',
  'states {0} special digests': '声明了 {0} 个特殊摘要',
  'has no room for its {0} digests': '容纳不下其 {0} 个摘要',
  // formats/macho/index.ts
  'has {0} bytes of code that the App Store encrypted': '有 {0} 字节代码由 App Store 加密',
  'that code was not searched; only the device of the buyer can decrypt it':
    '这些代码未搜索；只有购买者的设备能解密',
  'the property list in the program cannot be read': '程序中的属性列表无法读取',
  'what it says was not taken into account': '未考虑其内容',
  'the code signature cannot be read': '代码签名无法读取',
  'the code requirements cannot be read': '代码要求无法读取',
  'the entitlements cannot be read': '授权项无法读取',
  'Mach-O program or library': 'Mach-O 程序或库',
  'holds no program': '不含程序',
  'Mach-O program for several processors': '多处理器 Mach-O 程序',
  // formats/macho/parse.ts
  'lists {0} programs, but number {1} in the list cannot be read':
    '列出 {0} 个程序，但列表中第 {1} 个无法读取',
  'the programs from there on were not found': '从那里起的程序未找到',
  'should have the program for {0} at offset {1}, behind its end': '{0} 的程序应在偏移 {1}，已超出文件末尾',
  'should have {0} bytes of the program for {1}, {2} are there': '{1} 的程序应有 {0} 字节，实有 {2} 字节',
  'the program for {0} cannot be read: {1}': '{0} 的程序无法读取：{1!}',
  'its structure and its signature were not looked at': '其结构和签名未检查',
  'lists {0} programs, none of which can be read': '列出 {0} 个程序，均无法读取',
  'the program for {0} shares bytes with another one or with the header':
    '{0} 的程序与另一个程序或头部共用字节',
  'one program is a disguised part of another; both were looked at':
    '一个程序是另一个程序的伪装部分；两者都已检查',
  'does not begin with the magic of a Mach-O program': '开头不是 Mach-O 程序的标识',
  'should have {0} bytes of load commands, {1} are there': '加载命令应有 {0} 字节，实有 {1} 字节',
  'the rest of them is missing': '其余部分缺失',
  'should have {0} bytes by its load commands, {1} are there': '按加载命令应有 {0} 字节，实有 {1} 字节',
  'the load commands from there on were not read': '从那里起的加载命令未读取',
  'has more than {0} load commands': '加载命令超过 {0} 条',
  'states {0} load commands, but there is room for {1}': '声明 {0} 条加载命令，而空间只够 {1} 条',
  'a load command states {0} bytes, which cannot be': '一条加载命令声明 {0} 字节，不可能',
  'the load command 0x{0} cannot be read: {1}': '加载命令 0x{0} 无法读取：{1!}',
  'has {0} bytes of load commands more than the {1} that it states': '加载命令比其声明的 {1} 多出 {0} 字节',
  'software may disagree about what it loads': '不同软件对它加载什么可能有分歧',
  'states {0} more than once': '多次声明{0!}',
  'software may disagree about which one counts; the last one was taken':
    '不同软件对哪一个有效可能有分歧；已取最后一个',
  'there are more than {0} libraries': '库超过 {0} 个',
  'a code signature': '代码签名',
  'an encrypted range': '加密范围',
  'there are more than {0} sections': '节超过 {0} 个',
  // formats/member-name.ts
  'holds a NUL character, at which some software cuts it': '含有 NUL 字符，有些软件会在那里截断',
  'begins with a drive letter': '以盘符开头',
  'is an absolute path': '是绝对路径',
  'climbs out of its folder with ".."': '以 “..” 越出其文件夹',
  'holds control characters': '含有控制字符',
  'uses backslashes, which are separators only to some software': '使用反斜杠，只有部分软件视其为分隔符',
  'nothing is written here, but other software may write outside its folder':
    '这里不写出任何文件，但其他软件可能写到其文件夹之外',
  // formats/msi.ts
  'has more than {0} {1}': '有超过 {0} 个{1!}',
  'the further ones are not told': '其余的不再列出',
  'is a patch, whose changes are stored as transforms': '是补丁，其改动以转换形式存储',
  'the files in it were looked at, what it changes in an installed product is not known':
    '其中的文件已检查，它对已安装产品的改动未知',
  'promises a cabinet {0} that is not in it': '承诺的 cabinet {0} 不在其中',
  'takes files from the cabinet {0}, a file of its own': '从单独的文件 cabinet {0} 取文件',
  'the files that it would install from there were not looked at': '它会从那里安装的文件未检查',
  'installs {0} files that lie beside it, the first is {1}': '安装 {0} 个在它旁边的文件，第一个是 {1}',
  'these files were not looked at': '这些文件未检查',
  'installs a file whose path {0}: {1}': '安装一个文件，其路径{0!}：{1}',
  'nothing is written here, but the package may write outside its folder':
    '这里不写出任何文件，但软件包可能写到其文件夹之外',
  'custom actions': '自定义操作',
  'features, media and upgrade codes': '功能、介质和升级代码',
  'Windows Installer package': 'Windows Installer 软件包',
  'Windows Installer merge module': 'Windows Installer 合并模块',
  'Windows Installer patch': 'Windows Installer 补丁',
  // formats/msi/content.ts
  'paths of some files are shown from the folder on at which it was found':
    '有些文件的路径从找到它的文件夹起显示',
  'has folders that lie inside each other in a circle, at {0}': '文件夹在 {0} 处互相包含成圈',
  'has folders more than {0} deep': '文件夹嵌套超过 {0} 层',
  'installs more than {0} files': '安装超过 {0} 个文件',
  'the names of the further ones were not read': '其余文件的名称未读取',
  // formats/msi/database.ts
  'has more than {0} strings': '字符串超过 {0} 个',
  'promises {0} bytes of text, {1} are there': '承诺 {0} 字节文本，实有 {1} 字节',
  'has no strings for its tables': '没有供其表使用的字符串',
  'the tables could not be read: names and properties of the product are not known':
    '无法读取各表：产品的名称和属性未知',
  'has more': '还有更多',
  'has a list of strings that {0}': '字符串列表{0!}',
  'values whose text is missing are not shown': '文本缺失的值不显示',
  'has {0} bytes of text in its tables': '表中有 {0} 字节文本',
  'all of it was searched for known bytes, but long values may be told in part only':
    '全部内容已搜索已知字节，但较长的值可能只显示一部分',
  'has text in the code page {0}, which is not known': '文本使用代码页 {0}，该代码页未知',
  'letters other than A to Z may be shown wrong': 'A 至 Z 以外的字母可能显示有误',
  'has a table {0} of {1} bytes': '表 {0} 有 {1} 字节',
  'the table was not read': '该表未读取',
  'has a table {0} of {1} bytes, which is no multiple of its rows of {2}':
    '表 {0} 有 {1} 字节，不是其每行 {2} 字节的整数倍',
  'values of the table may be wrong': '该表的值可能有误',
  'has a table {0} of {1} rows': '表 {0} 有 {1} 行',
  'the rows behind the first {0} were not read': '前 {0} 行之后的行未读取',
  'has a table {0} without columns': '表 {0} 没有列',
  'has more than {0} tables': '表超过 {0} 个',
  'the further ones were not read': '其余的未读取',
  'has columns that are described twice or not at all': '有的列被描述两次或未被描述',
  'values of some tables may be wrong or missing': '有些表的值可能有误或缺失',
  // formats/msi/summary.ts
  'title, author and code of the package, or some of them, are not known':
    '软件包的标题、作者和代码，或其中一些，未知',
  'has summary information of {0} bytes; the first {1} are read': '摘要信息有 {0} 字节；只读取前 {1} 字节',
  'is no property set': '不是属性集',
  'has {0} properties': '有 {0} 个属性',
  'has summary information that could not be read: {0}': '摘要信息无法读取：{0!}',
  // formats/pe/build-traces.ts
  'keeps its debug directory at address 0x{0}, which is not in the file':
    '调试目录位于地址 0x{0}，不在文件中',
  'the path of its debug symbols was not read': '调试符号的路径未读取',
  'says that it is a .NET program, but its metadata is not where it says':
    '自称 .NET 程序，但其元数据不在所说的位置',
  'the .NET runtime version was not read': '未读取 .NET 运行时版本',
  // formats/pe/exports.ts
  'keeps its export directory at address 0x{0}, which is not in the file':
    '导出目录位于地址 0x{0}，不在文件中',
  'exported names were not read': '导出名称未读取',
  'claims {0} exported names; at most {1} are listed': '声称有 {0} 个导出名称；最多列出 {1} 个',
  'claims {0} exported names, but there is room for {1}': '声称有 {0} 个导出名称，而空间只够 {1} 个',
  'the other exported names were not read': '其余导出名称未读取',
  // formats/pe/imports.ts
  'keeps its import directory at address 0x{0}, which is not in the file':
    '导入目录位于地址 0x{0}，不在文件中',
  'imported libraries were not read': '导入的库未读取',
  'has an import directory without an end': '导入目录没有结尾',
  'the list of imported libraries may be wrong or short': '导入库的列表可能有误或不全',
  'imports from more than {0} libraries or more than {1} symbols': '从超过 {0} 个库导入或导入超过 {1} 个符号',
  'the other imports were not read and there is no import hash': '其余导入未读取，也没有导入哈希',
  'keeps the name of an imported library at address 0x{0}, which is not in the file':
    '一个导入库的名称位于地址 0x{0}，不在文件中',
  'this library is unknown, and there is no import hash': '该库未知，也没有导入哈希',
  'keeps its delay-load directory at address 0x{0}, which is not in the file':
    '延迟加载目录位于地址 0x{0}，不在文件中',
  'libraries that are loaded late were not read': '延迟加载的库未读取',
  // formats/pe/index.ts
  'Portable executable': '可移植可执行文件（PE）',
  'is packed with UPX and could not be unpacked: {0}': '以 UPX 加壳，无法脱壳：{0!}',
  'the packed program was not looked at': '被加壳的程序未检查',
  'is an Inno Setup installer and could not be opened: {0}': '是 Inno Setup 安装程序，无法打开：{0!}',
  'keeps {0} of {1} resources at addresses that are not in the file, the first at 0x{2} with {3} bytes':
    '{1} 个资源中有 {0} 个的地址不在文件中，第一个在 0x{2}，{3} 字节',
  'these resources were not looked at': '这些资源未检查',
  'has {0} version resources; at most {1} are read': '有 {0} 个版本资源；最多读取 {1} 个',
  'the other version resources were not read': '其余版本资源未读取',
  // formats/pe/parse.ts
  'ends inside the optional header': '在可选头内部就结束了',
  'only the first header fields were read; the program itself is missing':
    '只读取了最前面的头部字段；程序本身缺失',
  'has an optional header of unknown kind 0x{0}': '可选头的种类 0x{0} 未知',
  'it was read as a 32-bit one; its fields may be wrong': '已按 32 位读取；其字段可能有误',
  'does not start with MZ': '不以 MZ 开头',
  'ends after {0} bytes, inside the DOS header': '在 {0} 字节后、DOS 头内部结束',
  'ends inside the COFF header': '在 COFF 头内部就结束了',
  'has other bytes where the PE signature should be': 'PE 签名应在的位置是别的字节',
  'Windows does not start this file; the headers behind the signature were read all the same':
    'Windows 不会启动该文件；签名之后的头部仍已读取',
  'points to offset {0} for its PE header, but the header is at {1}': '指向偏移 {0} 为 PE 头，但该头在 {1}',
  'Windows does not start this file; it was read from the header that was found':
    'Windows 不会启动该文件；已从找到的头部读取',
  'ends after {0} bytes, but its PE header should be at offset {1}':
    '在 {0} 字节后结束，但其 PE 头应在偏移 {1}',
  'has no PE header where the DOS header points': 'DOS 头所指的位置没有 PE 头',
  'claims {0} data directories, more than there are kinds': '声称有 {0} 个数据目录，多于存在的种类',
  'the first {0} were read, as Windows does': '已像 Windows 那样读取前 {0} 个',
  'claims {0} sections, but the file ends after {1} section headers':
    '声称有 {0} 个节，但文件在 {1} 个节头之后结束',
  'the other sections are missing or were not found': '其余的节缺失或未找到',
  'claims {0} sections; at most {1} are read': '声称有 {0} 个节；最多读取 {1} 个',
  'the other sections were not looked at': '其余的节未检查',
  '{0} sections': '{0} 个节',
  'the certificate table': '证书表',
  'the headers': '头部',
  'ends after {0} bytes, but its headers promise {1}: {2} bytes are missing ({3})':
    '在 {0} 字节后结束，但其头部承诺 {1} 字节：缺少 {2} 字节（{3!}）',
  'the missing bytes were not looked at, and no signature over the whole file can hold':
    '缺失的字节未检查，覆盖整个文件的签名不可能成立',
  'section {0}': '节 {0}',
  'stores {0} inside {1}': '把{0!}存放在{1!}之内',
  'the same bytes have two meanings; both were looked at': '同样的字节有两种含义；两者都已检查',
  // formats/pe/resources.ts
  'keeps its resource directory at address 0x{0}, which is not in the file':
    '资源目录位于地址 0x{0}，不在文件中',
  'version information, manifest and embedded files were not read': '版本信息、清单和内嵌文件未读取',
  'the name of a resource was not read': '一个资源的名称未读取',
  'has a resource name of {0} characters': '有一个 {0} 个字符的资源名',
  'only the first {0} characters are shown': '只显示前 {0} 个字符',
  'points to offset {0} of its resource directory, which has {1} bytes in the file':
    '指向资源目录的偏移 {0}，该目录在文件中有 {1} 字节',
  'a resource was not found': '有一个资源未找到',
  'a part of the resource tree was not read': '资源树的一部分未读取',
  'the other entries of a resource directory were not read': '一个资源目录的其余条目未读取',
  'has more than {0} entries in its resource tree': '资源树的条目超过 {0} 个',
  'the other resources were not looked at': '其余资源未检查',
  'has a resource directory that contains itself': '有一个资源目录包含自身',
  'the loop was not followed': '未跟随该循环',
  'has a resource tree of more than three levels': '资源树超过三层',
  'what lies deeper was not looked at; Windows cannot reach it either':
    '更深的内容未检查；Windows 也到不了那里',
  // formats/pe/version-info.ts
  'a part of the version information was not read': '版本信息的一部分未读取',
  'has version information that does not start with VS_VERSION_INFO': '版本信息不以 VS_VERSION_INFO 开头',
  'has version information with a block of impossible length': '版本信息中有一个块的长度不可能存在',
  'has more than {0} version strings': '版本字符串超过 {0} 个',
  'the other version strings were not read': '其余版本字符串未读取',
  // formats/plist.ts
  'holds no value': '不含任何值',
  'is a property list of more than {0} bytes': '是超过 {0} 字节的属性列表',
  'is neither a binary nor an XML property list': '既不是二进制也不是 XML 属性列表',
  'stands for more than {0} values': '代表超过 {0} 个值',
  'nests more than {0} values': '值的嵌套超过 {0} 层',
  'is a binary property list of version "{0}"': '是版本“{0}”的二进制属性列表',
  'has no room for the end record of a property list': '容纳不下属性列表的结束记录',
  'states a size of offsets or references that is none': '声明的偏移或引用的大小并不存在',
  'states {0} objects, for whose offsets there is no room': '声明 {0} 个对象，其偏移却放不下',
  'an object wants {0} bytes, more than there are': '一个对象需要 {0} 字节，多于实有',
  'refers to an object {0} that is not there': '引用了不存在的对象 {0}',
  'the object {0} lies outside of the objects': '对象 {0} 位于对象区之外',
  'a value lies inside itself': '一个值包含自身',
  'a count is not written as one': '计数的写法不是计数',
  'a key is a {0}, not a string': '一个键是 {0}，不是字符串',
  'an object has the unknown mark 0x{0}': '一个对象的标记 0x{0} 未知',
  'holds objects that share bytes': '含有共用字节的对象',
  'is XML of the kind "{0}", not a plist': '是“{0}”种类的 XML，不是 plist',
  'holds several values, not one': '含有多个值而不是一个',
  'an integer is not written as one': '整数的写法不是整数',
  'a number is not written as one': '数字的写法不是数字',
  'an element "{0}" is none of a property list': '元素“{0}”不属于属性列表',
  'a key has no value': '有一个键没有值',
  'a value has no key': '有一个值没有键',
  'data is not in Base64': '数据不是 Base64',
  'what follows in the property list was not read': '属性列表中后面的内容未读取',
  'has the key "{0}" more than once': '键“{0}”出现多次',
  'software may disagree about which value counts; the last one was taken':
    '不同软件对哪个值有效可能有分歧；已取最后一个',
  'Apple property list': 'Apple 属性列表',
  'Apple provisioning profile': 'Apple 预配描述文件',
  'holds no property list': '不含属性列表',
  'holds a property list without an end': '含有没有结尾的属性列表',
  // formats/recognised.ts
  'strings in it were searched, its structure and signature were not read':
    '其中的字符串已搜索，其结构和签名未读取',
  'Inno Setup loader table': 'Inno Setup 加载程序表',
  'Java class': 'Java 类',
  'is recognised ({0}), but not opened': '可以识别（{0!}），但未打开',
  // formats/rpm.ts
  'RSA over the header': '头部的 RSA 签名',
  'DSA over the header': '头部的 DSA 签名',
  'PGP over header and payload': '头部和载荷的 PGP 签名',
  'GPG over header and payload': '头部和载荷的 GPG 签名',
  'OpenPGP over the header': '头部的 OpenPGP 签名',
  'RPM package': 'RPM 软件包',
  'does not begin like an RPM package': '开头不像 RPM 软件包',
  'ends before its headers': '在其头部之前就结束了',
  'has no header where one should be': '头部应在的位置没有头部',
  'has a header with {0} tags': '有一个含 {0} 个标签的头部',
  'has a header of {0} bytes': '有一个 {0} 字节的头部',
  'ends inside a header that should have {0} bytes of values, {1} are there':
    '在一个头部内部就结束了，该头部应有 {0} 字节的值，实有 {1} 字节',
  'fields of the package and all of its files are missing': '软件包的字段及其所有文件缺失',
  'has {0} tags twice in one header': '同一头部中有 {0} 个标签出现两次',
  'software may disagree about which one counts; the first was read':
    '不同软件对哪一个有效可能有分歧；已读取第一个',
  'is not text': '不是文本',
  'points outside of its header': '指向其头部之外',
  'is not a list of texts': '不是文本列表',
  'promises {0} texts, {1} are there': '承诺 {0} 段文本，实有 {1} 段',
  'is not a list of numbers': '不是数字列表',
  'promises {0} numbers, {1} are there': '承诺 {0} 个数字，实有 {1} 个',
  'has a tag ({0}) that {1}': '有一个标签（{0}）{1!}',
  'what it says was not read, or not all of it': '其内容未读取，或未全部读取',
  'lists a file whose name {0}: {1}': '列出一个文件，其名称{0!}：{1}',
  'nothing is written here, but other software may write to an unexpected place':
    '这里不写出任何文件，但其他软件可能写到意外的位置',
  'lists more than {0} files': '列出超过 {0} 个文件',
  'the names of the others are known only from the payload': '其他文件的名称只能从载荷得知',
  'lists {0} files in folders that it does not list': '列出 {0} 个文件，所在文件夹却未列出',
  'where they would be installed is not known': '它们会安装到哪里，无从知道',
  'has a {0} that does not have the {1} that the package states': '{0} 与软件包声明的 {1} 不符',
  'goes on for {0} bytes behind its stated end': '在其声明的末尾之后还有 {0} 字节',
  'these bytes are not part of the package; they were searched as part of the payload':
    '这些字节不属于软件包；已作为载荷的一部分搜索',
  'should have {0} bytes of header and payload, {1} are there': '头部和载荷应有 {0} 字节，实有 {1} 字节',
  'files of the package are missing; their names and digests are known from its header':
    '软件包的文件缺失；其名称和摘要从头部得知',
  // formats/sevenzip/faults.ts
  'is followed by data that does not belong to it': '其后有不属于它的数据',
  'is encrypted': '已加密',
  'needs more than {0} bytes of memory to be unpacked': '解包需要超过 {0} 字节内存',
  'does not have the checksum that the container states': '与容器声明的校验和不符',
  'continues in another volume that is not there': '在另一个不存在的分卷中继续',
  'has parts that are not there': '有的部分不存在',
  'is packed with a method that is not read': '以不读取的方法压缩',
  'uses a feature that is not read': '使用了不读取的功能',
  'has damaged compressed data': '压缩数据已损坏',
  'has damaged headers': '头部已损坏',
  'has headers that cannot be read': '头部无法读取',
  'is refused by the decoder ({0})': '被解码器拒绝（{0}）',
  // formats/sevenzip/index.ts
  'has a configuration and no 7z archive behind it': '有配置，但其后没有 7z 压缩包',
  'Microsoft cabinet': 'Microsoft cabinet 压缩包',
  '7z archive': '7z 压缩包',
  'configuration of a 7-Zip self-extractor': '7-Zip 自解压程序的配置',
  'RAR archive': 'RAR 压缩包',
  'xz file': 'xz 文件',
  'bzip2 file': 'bzip2 文件',
  'Zstandard file': 'Zstandard 文件',
  'Apple disk image': 'Apple 磁盘映像',
  'ISO 9660 disc image': 'ISO 9660 光盘映像',
  'HFS+ volume': 'HFS+ 卷',
  'APFS container': 'APFS 容器',
  'SquashFS image (Snap packages)': 'SquashFS 映像（Snap 软件包）',
  'cpio archive': 'cpio 归档',
  'xar archive (Mac installer package)': 'xar 归档（Mac 安装包）',
  'Windows Imaging file': 'Windows 映像文件（WIM）',
  'NSIS installer data': 'NSIS 安装数据',
  'LZMA file': 'LZMA 文件',
  'is encrypted with all of its names': '连同所有名称一起加密',
  'members that are not there or not whole were not looked at': '不存在或不完整的成员未检查',
  'continues in files that are not there: {0}': '在不存在的文件中继续：{0}',
  'members in them were not looked at': '其中的成员未检查',
  'holds {0} members with such names; the others are not listed here':
    '有 {0} 个成员带有这样的名称；其余在此不列出',
  'holds {0} folders or links that are said to have content': '有 {0} 个文件夹或链接被说成含有内容',
  'what they hold was not unpacked': '它们的内容未解包',
  'has headers that cannot be read, and others behind them at byte {0}':
    '头部无法读取，其后第 {0} 字节处另有头部',
  'members before that place were searched as bytes, not unpacked': '该位置之前的成员已作为字节搜索，未解包',
  'ordinary software does not show them; they were searched as bytes, not unpacked':
    '普通软件不显示它们；已作为字节搜索，未解包',
  // formats/sevenzip/program.ts
  'is unpacked in an order that goes back': '按倒退的顺序解包',
  // formats/sevenzip/unpacking.ts
  'has headers on which the decoder breaks off': '头部使解码器中断',
  'has headers that the decoder refuses': '头部被解码器拒绝',
  'is listed, but could not be unpacked': '被列出，但无法解包',
  'should have {0} bytes and unpacks to {1}': '应有 {0} 字节，解包得到 {1} 字节',
  'its content was not looked at': '其内容未检查',
  'what could be unpacked of it was searched, the rest was not': '能解包的部分已搜索，其余未搜索',
  'the members from there on were not looked at': '从那里起的成员未检查',
  'has data on which the decoder breaks off': '数据使解码器中断',
  'is not unpacked without faults': '解包时有故障',
  // formats/shapes/burn.ts
  'is a bundle of version {0}': '是版本 {0} 的合集',
  'its containers were not looked for': '未寻找其容器',
  'states {0} containers, for {1} of which there is room': '声明 {0} 个容器，其中 {1} 个放得下',
  'the others were not found': '其余的未找到',
  'has containers of kind {0}': '有 {0} 种类的容器',
  'they are shown as bytes': '以字节形式显示',
  'has a container ({0}) that should have {1} bytes at offset {2}, {3} are there':
    '有一个容器（{0}）应在偏移 {2} 处有 {1} 字节，实有 {3} 字节',
  'what is missing was not looked at; it may have been left to be downloaded':
    '缺失的部分未检查；可能留待下载',
  'manifest of a WiX bundle': 'WiX 合集的清单',
  'lists more than {0} payloads': '列出超过 {0} 个载荷',
  'the others were searched as text, not read': '其余的已作为文本搜索，未读取',
  // formats/shapes/deb-control.ts
  'control file of a Debian package': 'Debian 软件包的控制文件',
  // formats/shapes/flat-package.ts
  'description in a Mac installer package (PackageInfo, Distribution)':
    'Mac 安装包的描述（PackageInfo、Distribution）',
  // formats/shapes/flatpak-metadata.ts
  'Flatpak metadata': 'Flatpak 元数据',
  // formats/shapes/metadata-text.ts
  'has {0} bytes, of which {1} are read': '有 {0} 字节，读取其中 {1} 字节',
  'fields behind that place were searched as text, not read': '该位置之后的字段已作为文本搜索，未读取',
  'begins like text and is none': '开头像文本，其实不是',
  'some of its fields may have been read wrongly or not at all': '有些字段可能读错或未读取',
  // formats/shapes/nuspec.ts
  'manifest of a NuGet package': 'NuGet 软件包的清单',
  // formats/shapes/portableapps-info.ts
  'description of a portable application (PortableApps.com)': '便携应用的描述（PortableApps.com）',
  // formats/shapes/snap-metadata.ts
  'description of a Snap package (snap.yaml)': 'Snap 软件包的描述（snap.yaml）',
  'writes {0} in a style of YAML that is not read': '以不读取的 YAML 写法写出 {0}',
  'these fields were searched as text, not read': '这些字段已作为文本搜索，未读取',
  // formats/shapes/squirrel-releases.ts
  'list of Squirrel packages (RELEASES)': 'Squirrel 软件包列表（RELEASES）',
  'lists a package whose name {0}: {1}': '列出一个软件包，其名称{0!}：{1}',
  'nothing is written here, but an installer may look for it outside of its folder':
    '这里不写出任何文件，但安装程序可能到其文件夹之外寻找它',
  'has more than {0} lines': '超过 {0} 行',
  'has {0} lines that name no package': '有 {0} 行没有写出软件包',
  'these lines were searched as text, not read': '这些行已作为文本搜索，未读取',
  // formats/shapes/xml-facts.ts
  'fields behind that place were not read; its bytes were searched': '该位置之后的字段未读取；其字节已搜索',
  // formats/sis.ts
  'Symbian installation file': 'Symbian 安装文件',
  'is a Symbian installation file, of which only the headers are read': '是 Symbian 安装文件，只读取其头部',
  'the languages of the package were not read': '软件包的语言未读取',
  'the name of the package was not read': '软件包的名称未读取',
  'the names of further files were not read': '其余文件的名称未读取',
  'the names of the others were not read': '其余的名称未读取',
  'has a file record of an unknown kind ({0})': '有一条种类未知的文件记录（{0}）',
  'has no contents where they should be': '内容不在应在的位置',
  'has no description of its package that could be read': '没有可读取的软件包描述',
  'not everything about the package was read': '关于软件包的内容未全部读取',
  'has a packed description: {0}': '有一段压缩的描述：{0!}',
  'what was unpacked before the fault was read': '已读取故障之前解包的内容',
  // formats/sklg.ts
  'SKLG table of texts': 'SKLG 文本表',
  'is an SKLG table of version {0}, of which only {1} is known': '是版本 {0} 的 SKLG 表，只知道版本 {1}',
  'its language and number of texts were not read; its bytes were searched':
    '其语言和文本数目未读取；其字节已搜索',
  'states a size of {0} bytes and has {1}': '声明大小为 {0} 字节，实有 {1} 字节',
  'texts at its end are missing': '末尾的文本缺失',
  'bytes behind its end were searched like the others': '末尾之后的字节也已搜索',
  'states {0} texts, for which there is no room in its table': '声明有 {0} 段文本，其表却放不下',
  'the number of texts cannot be trusted; its bytes were searched': '文本数目不可信；其字节已搜索',
  // formats/udif/image.ts
  'states a checksum of an impossible length': '声明的校验和长度不可能',
  'has a property list without block tables': '属性列表中没有块表',
  'has a block table without data': '有一个块表没有数据',
  'has a block table that is none': '有一个无效的块表',
  'has a block table whose data begins elsewhere': '有一个块表的数据从别处开始',
  'has a block table of more sectors than there can be': '有一个块表的扇区数超过可能的数目',
  'has a block table of another length than it states': '有一个块表的长度与其声明不符',
  'has a block table with gaps, or with blocks that overlap': '有一个块表存在空隙或块重叠',
  'has a block table that ends before its end': '有一个块表在其末尾之前就结束了',
  'has a block behind the end of its data': '有一个块位于其数据末尾之后',
  'has a stored block of another size': '有一个未压缩的块大小不符',
  'has blocks of more than {0} bytes': '有超过 {0} 字节的块',
  'has a block table without an end': '有一个块表没有结束标记',
  'has its tables elsewhere than in a property list': '其块表不在属性列表中',
  'continues in other files': '在其他文件中延续',
  'has data behind its end': '其末尾之后还有数据',
  'has partitions that do not follow one another': '有不相接续的分区',
  'has more or fewer sectors than it states': '扇区数与其声明不符',
  'has no partition that may hold files': '没有可能含有文件的分区',
  'has several partitions that may hold files': '有多个可能含有文件的分区',
  'has a block table of another size than it states': '有一个块表的大小与其声明不符',
  // formats/tar.ts
  'ends without its end mark': '没有结束标记就结束了',
  'members that followed are missing, if there were any': '其后若有成员，则已缺失',
  'has a header whose checksum does not hold': '有一个头部的校验和不成立',
  '{0} is stored with holes': '{0} 以带空洞的方式存储',
  'it was looked at without its holes, so its digest is not that of the file':
    '已不带空洞检查，故其摘要不是该文件的摘要',
  'has data behind its end mark': '结束标记之后还有数据',
  'ordinary software does not show it; it was searched as bytes, not unpacked':
    '普通软件不显示它；已作为字节搜索，未解包',
  'tar archive': 'tar 归档',
  // formats/text.ts
  'web page': '网页',
  script: '脚本',
  text: '文本',
  'data of an unknown format': '格式未知的数据',
  // formats/upx.ts
  'is packed with UPX, header version {0}': '以 UPX 加壳，头部版本 {0}',
  'is packed with UPX, method {0}': '以 UPX 加壳，方法 {0}',
  'its UPX header does not match its own checksum': '其 UPX 头与自身的校验和不符',
  'the header was changed after packing; the program was unpacked as the header says':
    '头部在加壳之后被改动；已按头部所说脱壳',
  'its sections are named as UPX does, but there is no readable UPX header':
    '其节的名称与 UPX 的相同，但没有可读的 UPX 头',
  'its UPX header promises {0} bytes, which do not fit in an image of {1}':
    '其 UPX 头承诺 {0} 字节，放不进 {1} 字节的映像',
  'its section {0} does not lie behind the unpacked program': '其节 {0} 不在脱壳后的程序之后',
  'resources and exports in this section are missing in the unpacked program':
    '脱壳后的程序缺少该节中的资源和导出',
  'would unpack to {0} bytes in memory': '脱壳后会在内存中占 {0} 字节',
  '{0} of {1} bytes of its UPX-compressed program are missing': '其 UPX 压缩程序的 {1} 字节中缺少 {0} 字节',
  'only the first part of the packed program can be unpacked': '只能对加壳程序的前面部分脱壳',
  'its UPX-compressed program does not match its checksum (Adler-32 {0}, the header says {1})':
    '其 UPX 压缩程序与校验和不符（Adler-32 为 {0}，头部写 {1}）',
  'the program was changed or damaged after packing; what was unpacked of it may be wrong':
    '程序在加壳之后被改动或损坏；脱壳出的内容可能有误',
  'the LZMA properties contradict each other': 'LZMA 属性互相矛盾',
  'its UPX-compressed program was unpacked up to byte {0} of {1}: {2}':
    '其 UPX 压缩程序脱壳到 {1} 字节中的第 {0} 字节：{2!}',
  'the rest of the packed program was not looked at, and the last bytes before it may be wrong':
    '加壳程序的其余部分未检查，在此之前的最后若干字节可能有误',
  'its unpacked program does not match the checksum in the UPX header': '脱壳后的程序与 UPX 头中的校验和不符',
  'what was unpacked is not what was packed; it was looked at all the same':
    '脱壳出的内容不是加壳时的内容；仍已检查',
  'it is not a PE header': '不是 PE 头',
  'its first section is elsewhere': '第一个节在别处',
  'it has too many sections': '节过多',
  'its unpacked program does not carry the original headers where UPX puts them: {0}':
    '脱壳后的程序在 UPX 放置原始头部的位置没有原始头部：{0!}',
  'the unpacked bytes were looked at as one block; the names of its sections, its imports and its filtered code were not':
    '脱壳出的字节已作为一整块检查；其节名、导入和过滤过的代码未检查',
  'its code is stored through the unknown UPX filter 0x{0}': '其代码经未知的 UPX 过滤器 0x{0} 存储',
  'the code was looked at as stored, with altered call targets; data and text are not affected':
    '代码已按存储的样子检查，调用目标有改动；数据和文本不受影响',
  'its UPX filter covers bytes that are not in the unpacked program':
    '其 UPX 过滤器覆盖的字节不在脱壳后的程序中',
  'there are more than {0}': '超过 {0} 个',
  'the imports of its unpacked program could not all be read: {0}': '脱壳后程序的导入未能全部读取：{0!}',
  'the names of {0} imported libraries were restored, the others were not':
    '已恢复 {0} 个导入库的名称，其余未恢复',
  'a name has no end': '有一个名称没有结尾',
  'a name is not in the packed file': '有一个名称不在加壳的文件中',
  // formats/windows-mobile-cab.ts
  'control file of a Windows Mobile installation cabinet': 'Windows Mobile 安装 cabinet 的控制文件',
  'has no whole header of a control file': '没有完整的控制文件头部',
  'entries at its end are missing': '末尾的条目缺失',
  'some names in the control file were not read': '控制文件中有些名称未读取',
  // formats/xap.ts
  'Windows Phone app package (XAP)': 'Windows Phone 应用包（XAP）',
  'has {0}, which {1}': '含有 {0}，它{1!}',
  'has the header of a PlayReady licence': '带有 PlayReady 许可的头部',
  'members that are encrypted with it look like data of an unknown format':
    '以它加密的成员看起来像格式未知的数据',
  // formats/xml.ts
  'is not valid {0}': '不是有效的 {0}',
  'is XML in an encoding that is not read ({0})': '是以不读取的编码写成的 XML（{0}）',
  'is XML of more than {0} bytes': '是超过 {0} 字节的 XML',
  'holds a character that XML does not allow': '含有 XML 不允许的字符',
  'ends inside an element': '在一个元素内部就结束了',
  'goes on behind its root element': '在根元素之后还有内容',
  'has a declaration that is none': '有一处声明并不是声明',
  'does not begin with an element': '开头不是元素',
  'declares entities or elements of its own, which are not read': '声明了自己的实体或元素，不予读取',
  'closes an element that is not open': '关闭了未打开的元素',
  'has an end tag that does not end': '有一个未结束的结束标签',
  'has a start tag that does not end': '有一个未结束的开始标签',
  'has the same attribute twice': '同一属性出现两次',
  'more than {0} attributes in a tag': '一个标签的属性超过 {0} 个',
  'more than {0} elements': '超过 {0} 个元素',
  'elements nested more than {0} deep': '元素嵌套超过 {0} 层',
  'has an attribute without a value': '有一个没有值的属性',
  'has an attribute without quotes': '有一个没有引号的属性',
  'has an attribute that does not end': '有一个未结束的属性',
  'ends a section that was not begun': '结束了未开始的节',
  'refers to an entity that is not known': '引用了未知的实体',
  'has markup that is none': '有一处标记并不是标记',
  'has a comment that does not end with "-->"': '有一处注释不以“-->”结束',
  'has a declaration that is not at its start': '有一处声明不在开头',
  'has a processing instruction that is none': '有一处处理指令并不是处理指令',
  'has markup that does not end with "{0}"': '有一处标记不以“{0}”结束',
  'is XML that {0}': '是 XML，但{0!}',
  'is XML with {0}': '是 XML，但{0!}',
  // formats/zip.ts
  'strong encryption': '强加密',
  'strong encryption with a masked header': '强加密且头部被遮蔽',
  'is encrypted ({0})': '已加密（{0!}）',
  'it ended with code {0}': '它以代码 {0} 结束',
  'the decoder said "{0}" inside a member': '解码器在成员中间发出了“{0}”',
  'the decoder failed ({0})': '解码器失败（{0!}）',
  'it was looked up among known builds by its SHA-256 alone': '仅按其 SHA-256 在已知版本中查找',
  'its bytes were not looked at': '其字节未检查',
  'is packed with {0}, which is not read here': '以 {0!} 压缩，这里不读取',
  'is stored in {0} bytes, but should have {1}': '存储为 {0} 字节，但应有 {1} 字节',
  'software may see more or fewer bytes of it': '不同软件看到的字节可能更多或更少',
  'has no checksum': '没有校验和',
  'does not have the checksum that the archive states': '与压缩包声明的校验和不符',
  'a stream ended without saying where': '有一个流没有说明在哪里结束',
  'has no checksum: whether its bytes are those that were packed is not known':
    '没有校验和：其字节是否为打包时的字节，无从知道',
  'unpacks to {0} bytes, but the archive states {1}': '解包得到 {0} 字节，而压缩包声明 {1} 字节',
  'has {0} more packed bytes than it needs': '压缩字节比所需多 {0}',
  'ordinary software lists {0} members, the central directory has {1}':
    '普通软件列出 {0} 个成员，中央目录有 {1} 个',
  'ordinary software sees {0} with other bytes or under another name{1}':
    '普通软件看到的 {0} 字节不同或名称不同{1!}',
  ', and {0} more': '，另有 {0} 个',
  'ZIP archive': 'ZIP 压缩包',
  // formats/zip/directory.ts
  '{0} and {1} more': '{0!}，另有 {1} 个',
  'its local header names it {0}': '其本地文件头称它为 {0}',
  'its local header spells its name in other bytes': '其本地文件头以不同字节拼写其名称',
  'its local header says {0} instead of {1}': '其本地文件头写的是 {0!}，而不是 {1!}',
  'its local header disagrees on whether it is encrypted': '其本地文件头对是否加密的说法不同',
  'its local header states another checksum': '其本地文件头声明另一个校验和',
  'its local header states {0} packed bytes': '其本地文件头声明压缩后 {0} 字节',
  'its local header states {0} bytes': '其本地文件头声明 {0} 字节',
  'lists more than {0} members': '列出超过 {0} 个成员',
  'members after the first {0} were not looked at': '前 {0} 个之后的成员未检查',
  'software that believes the stated offset reads another central directory at offset {0}':
    '相信所声明偏移的软件会在偏移 {0} 读取另一个中央目录',
  'states the offset of one central directory and has another before its end record':
    '声明了一个中央目录的偏移，而结束记录之前是另一个',
  'members that only the stated directory lists are read by their local headers':
    '只有所声明目录列出的成员按其本地文件头读取',
  'its zip64 end record contradicts its end record': '其 zip64 结束记录与结束记录矛盾',
  'has a zip64 end record that contradicts its end record': '有一条与结束记录矛盾的 zip64 结束记录',
  'software that prefers the zip64 record may see other members': '优先采用 zip64 记录的软件可能看到别的成员',
  'needs a zip64 end record that is not there': '需要一条不存在的 zip64 结束记录',
  'the number of members could not be checked': '无法核对成员数目',
  'is volume {0} of an archive in several volumes': '是多卷压缩包的第 {0} 卷',
  'members that lie in other volumes were not looked at': '位于其他卷的成员未检查',
  'has an encrypted central directory': '中央目录已加密',
  'members that it lists are found by their local headers only, if at all':
    '它列出的成员只能按本地文件头寻找，或完全找不到',
  'promises a comment of {0} bytes, of which {1} are there': '承诺 {0} 字节注释，实有 {1} 字节',
  'the rest of the comment is missing; no member is affected': '注释的其余部分缺失；不影响任何成员',
  'they are looked at as a part of their own': '已作为单独的部分检查',
  'a second central directory lies at offset {0}': '偏移 {0} 处有第二个中央目录',
  'has {0} central directories, of which software may take any':
    '有 {0} 个中央目录，不同软件可能采用其中任何一个',
  'members that only the other directory lists are read by their local headers':
    '只有另一个目录列出的成员按其本地文件头读取',
  'has no readable central directory, as if its end were missing': '没有可读的中央目录，似乎末尾缺失',
  'members were recovered by their local headers; those behind the end are missing':
    '已按本地文件头恢复成员；末尾之后的成员缺失',
  'recovered by its local header': '按其本地文件头恢复',
  'is not in the central directory: ordinary software does not show it': '不在中央目录中：普通软件不显示它',
  'has {0} bytes before its first member': '第一个成员之前有 {0} 字节',
  'the central directory does not list {0}': '中央目录没有列出 {0!}',
  'holds members that its central directory does not list: {0}': '含有中央目录未列出的成员：{0!}',
  'ordinary software does not show them; they are looked at all the same': '普通软件不显示它们；仍已检查',
  'holds neither a central directory nor a local header': '既没有中央目录也没有本地文件头',
  'has a central directory of more than {0} bytes': '中央目录超过 {0} 字节',
  'members that the rest of it lists were looked for by their local headers only':
    '其余部分列出的成员只按本地文件头寻找',
  'its data is not followed by the sizes that its local header announces':
    '其数据之后没有本地文件头所预告的大小',
  'the checksum or size behind its data is another one': '其数据之后的校验和或大小不同',
  'is what software sees that reads from front to back': '是从头到尾读取的软件所看到的',
  'local header and central directory disagree on {0}': '本地文件头与中央目录不一致：{0!}',
  'has local headers that contradict its central directory: {0}': '有与中央目录矛盾的本地文件头：{0!}',
  'software may see other names or bytes; where the bytes differ, both are looked at':
    '不同软件可能看到别的名称或字节；字节不同之处，两者都已检查',
  'ends before the data of {0} does': '在 {0} 的数据结束之前就结束了',
  'the rest of that data is missing': '该数据的其余部分缺失',
  'has {0} bytes in its central directory that are no record': '中央目录中有 {0} 字节不是记录',
  'members that they would list are looked for by their local headers': '它们会列出的成员按本地文件头寻找',
  'its end record counts {0} members, its central directory lists {1}':
    '其结束记录称有 {0} 个成员，中央目录列出 {1} 个',
  'counts {0} members, but its central directory lists {1}': '称有 {0} 个成员，但中央目录列出 {1} 个',
  'software that believes the count may see other members': '相信该数目的软件可能看到别的成员',
  'states a central directory of {0} bytes, but it has {1}': '声明中央目录为 {0} 字节，但实有 {1} 字节',
  'software that believes the size may see other members': '相信该大小的软件可能看到别的成员',
  'more than one member is named {0}': '不止一个成员名为 {0!}',
  'holds more than one member of the same name: {0}': '含有多个同名成员：{0!}',
  'ordinary software shows one of them; all are looked at': '普通软件只显示其中一个；已全部检查',
  'holds members that share their bytes: {0}': '含有共用字节的成员：{0!}',
  'it may unpack to far more than its size; the limits apply': '解包后可能远大于其大小；适用各项限制',
  // formats/zip/records.ts
  'Zstandard (old number)': 'Zstandard（旧编号）',
  'AES encryption': 'AES 加密',
  'method {0}': '方法 {0}',
  // formats/zlib.ts
  'is followed by {0} bytes that do not belong to its compressed data': '其后有 {0} 字节不属于其压缩数据',
  'zlib stream': 'zlib 流',
  // authenticity/apk-scheme-block.ts
  'a signature has more than {0} parts of one kind': '一个签名的同种部分超过 {0} 个',
  'it has no signer': '没有签名者',
  '{0} bytes behind its signers belong to none': '其签名者之后有 {0} 字节不属于任何签名者',
  'it has no certificate': '没有证书',
  'it has no signature': '没有签名',
  'the key of the signer does not confirm the signature': '签名者的密钥不能确认该签名',
  'none of its signature algorithms is supported': '其签名算法均不受支持',
  'the key that made the signature is not that of the certificate': '产生签名的密钥不是证书的密钥',
  'its digests and its signatures are not by the same algorithms': '其摘要与签名使用的算法不一致',
  'the versions of Android that it is for are not those that were signed':
    '它适用的 Android 版本不是被签名的版本',
  'it has more than one proof of rotation': '有多份轮换证明',
  'its proof of rotation ends at another certificate': '其轮换证明止于另一个证书',
  'its proof of rotation does not hold: {0}': '其轮换证明不成立：{0!}',
  'it is of version {0}': '版本为 {0}',
  'it has more than {0} certificates': '证书超过 {0} 个',
  'a certificate is not confirmed by the one before it': '有一个证书未得到前一个证书的确认',
  'a certificate hands over to itself': '有一个证书移交给自己',
  // authenticity/apk-signature.ts
  'There is no signer.': '没有签名者。',
  'The signing block cannot be read: {0}.': '签名块无法读取：{0!}。',
  'The end of the package is missing, and with it what would prove the rest.':
    '软件包的末尾缺失，能证明其余部分的内容也随之缺失。',
  'The lists of signed digests are there, the signature is not.': '签名摘要的列表还在，签名却不在。',
  'There is no signature. {0}': '没有签名。{0!}',
  'The package has no signature of any scheme; Android does not install it.':
    '软件包没有任何方案的签名；Android 不会安装它。',
  'A second {0} of {1} bytes is in the signing block; Android takes the first.':
    '签名块中还有第二个 {1} 字节的 {0}；Android 取第一个。',
  'it has {0} bytes, more than {1}': '它有 {0} 字节，超过 {1}',
  'The {0} signature was not read: {1}.': '{0} 签名未读取：{1!}。',
  '{0}: the signed {1} digest {2} is not that of the package{3}.':
    '{0}：被签名的 {1} 摘要 {2} 不是该软件包的{3!}。',
  'The {0} signature says that the package was signed with {1} as well, and that signature is not there: it was taken away, or the package was changed after it was signed.':
    '{0} 签名表明软件包还以 {1} 签名，而该签名不在：它被移除了，或软件包在签名之后被改动。',
  '{0} Android does not find the {1} signature there.': '{0!}Android 在那里找不到 {1} 签名。',
  'The end of the package is missing. {0}': '软件包的末尾缺失。{0!}',
  'The {0} and the {1} signatures are by different signers: one of them was added by somebody else.':
    '{0} 签名与 {1} 签名的签名者不同：其中一个由他人添加。',
  'The {0} signature cannot be checked.': '{0} 签名无法核对。',
  'The signing block cannot be read to its end: {0}.': '签名块无法读到末尾：{0!}。',
  'The digests that were signed (v1) are those of all {0} members; what lies between them is not covered.':
    '被签名的摘要（v1）是全部 {0} 个成员的摘要；成员之间的内容不受覆盖。',
  'The {0} digest that was signed ({1}) is that of the package.': '被签名的 {0} 摘要（{1}）与软件包相符。',
  'the {0} signature does not hold.': '{0} 签名不成立。',
  'An Android program of {0} bytes stands in front of the package (CVE-2017-13156)':
    '软件包前面有一个 {0} 字节的 Android 程序（CVE-2017-13156）',
  '{0} bytes stand in front of the package': '软件包前面有 {0} 字节',
  '{0}, which its v1 signature does not cover.': '{0!}，其 v1 签名不覆盖它。',
  'The package holds {0} members that its list does not name, which its v1 signature does not cover.':
    '软件包含有 {0} 个未被其列表列出的成员，其 v1 签名不覆盖它们。',
  'Signed with a certificate of the publisher; no timestamp proves when.':
    '以发布者的证书签名；没有时间戳证明签名时间。',
  'Signed with a certificate to which a certificate of the publisher handed over; no timestamp proves when.':
    '以发布者的证书所移交的证书签名；没有时间戳证明签名时间。',
  'A signature by a certificate of the publisher holds, but the package as a whole is not intact.':
    '发布者证书的签名成立，但软件包整体并不完好。',
  'No signer could be read.': '没有可读取的签名者。',
  'but the certificate is none that the publisher is known to have signed Android packages with':
    '但该证书不是已知发布者用于签署 Android 软件包的证书',
  'but that signature does not hold over this package': '但该签名对这个软件包不成立',
  'The certificate bears the name "{0}", {1}.': '证书写有名称“{0}”，{1!}。',
  'Signed by "{0}", certificate {1}.': '由“{0}”签名，证书 {1}。',
  '{0} It is none that a known publisher signs Android packages with; the name in it was checked by nobody.':
    '{0!}它不是已知发布者用于签署 Android 软件包的证书；其中的名称未经任何人核实。',
  '{0} Missing proof: no certificate with which a publisher signs Android packages is known here, so this signer can neither be confirmed nor refuted; the name in it was checked by nobody.':
    '{0!}缺少证明：这里不知道发布者用于签署 Android 软件包的证书，因此既不能确认也不能否定这个签名者；其中的名称未经任何人核实。',
  'The signing block holds {0} bytes under {1}; no digest covers them.':
    '签名块在 {1} 之下有 {0} 字节；没有摘要覆盖它们。',
  ' and {0} more': '另有 {0} 个',
  '"{0}"{1} in META-INF: the v1 signature covers nothing there but itself.':
    'META-INF 中的“{0}”{1!}：v1 签名在那里只覆盖自身。',
  '{0} bytes in {1} places between the members belong to none; the v1 signature does not cover them.':
    '成员之间有 {1} 处共 {0} 字节不属于任何成员；v1 签名不覆盖它们。',
  // authenticity/apple-bundle-seal.ts
  'the seal of the bundle lists no files': '套装的封印没有列出任何文件',
  'the seal of the bundle has more than {0} rules': '套装封印的规则超过 {0} 条',
  'a rule in the seal of the bundle is too long': '套装封印中有一条规则过长',
  'a rule in the seal of the bundle is no pattern': '套装封印中有一条规则不是模式',
  // authenticity/apple-bundle.ts
  'The seal of the bundle, whose digest is signed, is missing.': '摘要被签名的套装封印缺失。',
  'The seal of the bundle cannot be read: {0}.': '套装的封印无法读取：{0!}。',
  'Files of the bundle could not be compared with its seal: {0}.': '套装的文件无法与其封印比对：{0!}。',
  'The program is signed by the publisher, but the bundle as a whole is not intact.':
    '程序由发布者签名，但套装整体并不完好。',
  'of another build': '另一构建的',
  'The seal of the bundle does not hold ({0}).': '套装的封印不成立（{0!}）。',
  // authenticity/apple-certificates.ts
  'iOS development': 'iOS 开发',
  'iOS distribution': 'iOS 分发',
  'Mac App Store submission': 'Mac App Store 提交',
  'App Store (macOS)': 'App Store（macOS）',
  'Mac development': 'Mac 开发',
  'a certificate': '证书',
  'the value of a name': '名称的值',
  'the extensions': '扩展',
  'an extension': '一个扩展',
  // authenticity/apple-code-signature.ts
  'application-specific data': '应用专用数据',
  'disk image': '磁盘映像',
  'DER entitlements': 'DER 授权项',
  'No program in it could be read.': '其中没有可读取的程序。',
  'In the program for {0}: ': '在 {0} 的程序中：',
  'Some of its programs are signed, but not that for {0}.': '它的一些程序有签名，但 {0} 的程序没有。',
  'Its programs are signed by different certificates, as if one was added later.':
    '它的程序由不同证书签名，像是后来添加了一个。',
  'Its programs share bytes with each other or with the header.': '它的程序互相或与头部共用字节。',
  'Bytes at offset {0} belong to none of its programs.': '偏移 {0} 处的字节不属于它的任何程序。',
  'Not all of the programs that it lists could be read.': '它列出的程序未能全部读取。',
  'The code directory states the team "{0}", but nobody signed it.':
    '代码目录写有团队“{0}”，但没有任何人签名。',
  'It is not signed.': '没有签名。',
  'The load commands name a signature, all else is there, the signature is not.':
    '加载命令指明有签名，其余都在，签名却不在。',
  'The file ends {0} bytes before the end of the signature.': '文件比签名的末尾早 {0} 字节结束。',
  'Where the signature should be are only zeros.': '签名应在的位置只有零。',
  'The code signature cannot be read: {0}.': '代码签名无法读取：{0!}。',
  'a code signature without a code directory': '没有代码目录的代码签名',
  'The digests of its {0} pages hold': '其 {0} 页的摘要成立',
  'It has an ad hoc seal only, which anybody can make. {0}.':
    '只有任何人都能制作的临时（ad hoc）封印。{0!}。',
  'The signature over its code directory is missing. {0}.': '其代码目录的签名缺失。{0!}。',
  'slot {0}': '槽位 {0}',
  'The digests of its {0} pages hold, and they are signed.': '其 {0} 页的摘要成立，且已签名。',
  'The signature over its code directory does not hold.': '其代码目录的签名不成立。',
  '{0} bytes follow the code signature, which has to be the end.':
    '代码签名之后有 {0} 字节，而签名必须在末尾。',
  'The code signature has two parts for slot {0}.': '代码签名的槽位 {0} 有两个部分。',
  '{0} bytes lie {1} the parts of the code signature; no digest covers them.':
    '有 {0} 字节位于代码签名各部分{1!}；没有摘要覆盖它们。',
  'A code directory uses the digest type {0}, which is not read.': '一个代码目录使用摘要类型 {0}，不予读取。',
  'A code directory covers the program in pieces, which is not read.': '一个代码目录分片覆盖程序，不予读取。',
  'The code directory covers {0} bytes, but the signature begins at {1}.':
    '代码目录覆盖 {0} 字节，但签名从 {1} 开始。',
  'The code directories cover far more bytes than the file has.': '代码目录覆盖的字节远多于文件所有。',
  'The code directory has {0} digests for {1} pages.': '代码目录有 {0} 个摘要，而页有 {1} 个。',
  '{0} of {1} pages do not have the {2} digest that was signed, the first at offset {3}.':
    '{1} 页中有 {0} 页与被签名的 {2} 摘要不符，第一处在偏移 {3}。',
  'whose digest is signed are missing from the signature': '其摘要被签名，却不在签名中',
  'are in the signature, but no digest covers them': '在签名中，但没有摘要覆盖',
  'in the signature do not have the digest that was signed': '在签名中，与被签名的摘要不符',
  'is in the bundle, but no digest covers it': '在套装中，但没有摘要覆盖',
  'in the bundle does not have the digest that was signed': '在套装中，与被签名的摘要不符',
  // authenticity/apple-signer.ts
  'it has {0} signers, not one': '有 {0} 个签名者，而不是一个',
  'The signature was not read: {0}.': '签名未读取：{0!}。',
  'A certificate was not read: {0}.': '一个证书未读取：{0!}。',
  'A timestamp does not hold: {0}.': '一个时间戳不成立：{0!}。',
  'No timestamp proves when the file was signed.': '没有时间戳证明文件的签名时间。',
  '"{0}" is not a certificate for signing code.': '“{0}”不是代码签名证书。',
  'An unsigned attribute {0} of {1} bytes is in the signature; no digest covers it.':
    '签名中有 {1} 字节的未签名属性 {0}；没有摘要覆盖它。',
  'Certificates that belong to no chain are in the signature: {0}.': '签名中有不属于任何证书链的证书：{0}。',
  'A code directory that was signed, {0}, is not in the signature or was changed.':
    '一个被签名的代码目录 {0} 不在签名中或被改动。',
  'A signed list of code directories cannot be read: {0}.': '被签名的代码目录列表无法读取：{0!}。',
  'The code directory {0} is not among those that were signed.': '代码目录 {0} 不在被签名的之列。',
  'The code directory {0} is not signed; nothing rests on it.':
    '代码目录 {0} 未被签名；没有任何东西以它为依据。',
  'it is no list': '它不是列表',
  'an entry of it is no digest': '其中一个条目不是摘要',
  'a digest of a code directory': '代码目录的摘要',
  'its algorithm': '其算法',
  'the digest': '摘要',
  'the chain of its certificate does not lead to a certificate that is known to be of Apple':
    '其证书链没有通向已知属于 Apple 的证书',
  'the chain of its certificate is not sound': '其证书链不可靠',
  'the certificate is not for signing code': '该证书不是代码签名证书',
  'the code directory states another team, "{0}", than the certificate': '代码目录所写的团队“{0}”与证书不同',
  'the certificate was not valid when the file was signed': '签署该文件时证书不在有效期内',
  'the team is not known to have signed for the publisher on {0}': '不知道该团队曾在 {0} 为发布者签名',
  // authenticity/appx-digest.ts
  'the files of the package': '软件包的文件',
  'the central directory': '中央目录',
  'the list of content types': '内容类型列表',
  'the block map': '块映射',
  'the catalogue of code': '代码编录',
  'The package has no readable central directory.': '软件包没有可读的中央目录。',
  'The signature file has no record in the central directory or none before it.':
    '签名文件在中央目录中没有记录，或其前没有记录。',
  'The signature file is not named {0}.': '签名文件的名称不是 {0}。',
  'The package ends inside of its signature file.': '软件包在其签名文件内部就结束了。',
  'The central directory is not where the end record says.': '中央目录不在结束记录所说的位置。',
  'The central directory cannot be read to its end.': '中央目录无法读到末尾。',
  'The signature file is not where the central directory says.': '签名文件不在中央目录所说的位置。',
  'The signature file reaches into the central directory.': '签名文件伸入中央目录。',
  '{0} bytes follow the package, which no digest covers.': '软件包之后有 {0} 字节，没有摘要覆盖它们。',
  'The end record puts the central directory where it is not.': '结束记录把中央目录放在了它不在的位置。',
  'The end record speaks of several volumes.': '结束记录提到多个分卷。',
  'The end record counts other members than the central directory lists.':
    '结束记录的成员数与中央目录列出的不同。',
  'The zip64 end record counts other members than the central directory lists.':
    'zip64 结束记录的成员数与中央目录列出的不同。',
  'The zip64 end record is not where its locator says.': 'zip64 结束记录不在其定位记录所说的位置。',
  // authenticity/appx-signature.ts
  'The two records of the signature file contradict each other; no digest covers them.':
    '签名文件的两条记录互相矛盾；没有摘要覆盖它们。',
  '{0} bytes lie in extra fields of the signature file; no digest covers them.':
    '签名文件的附加字段中有 {0} 字节；没有摘要覆盖它们。',
  'The package has more than {0} signatures; the rest was not checked.':
    '软件包的签名超过 {0} 个；其余未核对。',
  'The package is not signed, and not as its block map says: {0}.':
    '软件包没有签名，也与其块映射不符：{0!}。',
  'The package lists a signature among its content types, but has none.':
    '软件包的内容类型中列有签名，但没有签名。',
  'The package is not signed.': '软件包没有签名。',
  'There is no signer; that the package is by "{0}" is only said in its manifest.':
    '没有签名者；软件包出自“{0}”只是其清单的说法。',
  'the signature file {0}': '签名文件{0!}',
  'cannot be unpacked': '无法解包',
  'the signature file does not begin as one': '签名文件的开头不是签名文件',
  '{0} bytes lie behind the signature in its file; no digest covers them.':
    '签名文件中签名之后有 {0} 字节；没有摘要覆盖它们。',
  'The signed digest of {0} does not hold.': '{0!}的签名摘要不成立。',
  'the signature was not made for a package': '该签名不是为软件包制作的',
  'the signed digests have no whole length': '被签名的摘要长度不完整',
  'the signature has digests of a kind that is not known, or the same one twice':
    '签名含有种类未知的摘要，或同一摘要出现两次',
  'its records say': '其记录所说的末尾',
  'The package is not as its block map says: {0}.': '软件包与其块映射不符：{0!}。',
  'The manifest names no publisher that could be read.': '清单没有写出可读取的发布者。',
  'The manifest names "{0}" as publisher, the certificate "{1}".': '清单写发布者为“{0}”，证书写“{1}”。',
  'Signed with a pinned certificate, but the manifest names another publisher than it does.':
    '以固定的证书签名，但清单写的发布者与证书不同。',
  'The manifest names "{0}" as publisher, but the package is not signed with a certificate of that publisher.':
    '清单写发布者为“{0}”，但软件包不是以该发布者的证书签名。',
  // authenticity/authenticode.ts
  'The file has more than {0} signatures; the rest was not checked.': '文件的签名超过 {0} 个；其余未核对。',
  'The certificate table is not where the headers put it; a signature was found at offset {0}.':
    '证书表不在头部所指的位置；在偏移 {0} 处找到一个签名。',
  'its headers say': '其头部所说的末尾',
  '{0} bytes follow the certificate table, which has to be the end of the file.':
    '证书表之后有 {0} 字节，而证书表必须在文件末尾。',
  // authenticity/certificate-table.ts
  'The bytes that the headers call the certificate table are no certificate table.':
    '头部称为证书表的字节并不是证书表。',
  'at offset {0} with {1} bytes': '在偏移 {0}，共 {1} 字节',
  'The headers put the certificate table {0}, which does not lie in the file of {1} bytes.':
    '头部把证书表放{0!}，不在 {1} 字节的文件之内。',
  'A signature block lies behind the sections, but the headers do not name it.':
    '各节之后有一个签名块，但头部没有指明它。',
  'The file is not signed.': '文件没有签名。',
  'The file ends {0} bytes before the end of its sections, and its signature is missing.':
    '文件比其各节的末尾早 {0} 字节结束，其签名缺失。',
  'The file ends {0} bytes before the place at which its headers put the signature.':
    '文件比头部放置签名的位置早 {0} 字节结束。',
  'The file ends inside its signature.': '文件在其签名内部就结束了。',
  'The headers name a signature at offset {0}, everything else is there, the signature is not.':
    '头部指明在偏移 {0} 处有签名，其余都在，签名却不在。',
  'The certificate table has more than {0} entries.': '证书表的条目超过 {0} 个。',
  'An entry of {0} bytes in the certificate table is no signature; no digest covers it.':
    '证书表中有一个 {0} 字节的条目不是签名；没有摘要覆盖它。',
  'behind the signature in the certificate table': '证书表中签名之后',
  'at the end of the certificate table': '证书表末尾',
  'the signature has more than {0} bytes': '签名超过 {0} 字节',
  'zero bytes': '个零字节',
  '{0} {1} lie {2}; no digest covers them.': '{2!}有 {0} {1!}；没有摘要覆盖它们。',
  // authenticity/cms.ts
  'a PKCS#7 blob': 'PKCS#7 数据',
  'a content type': '内容类型',
  'the PKCS#7 blob holds {0}, not signed data': 'PKCS#7 数据含有 {0!}，不是签名数据',
  'the signed data': '签名数据',
  'the content': '内容',
  'the list of signers is missing': '缺少签名者列表',
  'a signature has {0} signers, more than {1}': '一个签名有 {0} 个签名者，超过 {1} 个',
  'the signature carries no content': '签名没有内容',
  'the signature carries more than {0} certificates': '签名带有超过 {0} 个证书',
  'a signer': '签名者',
  'the name of a signer': '签名者的名称',
  'a digest algorithm': '摘要算法',
  'a signature algorithm': '签名算法',
  'a signature': '签名',
  'an issuer': '颁发者',
  'a serial number': '序列号',
  'a signer has more than {0} attributes': '一个签名者的属性超过 {0} 个',
  'an attribute': '属性',
  'the type of an attribute': '属性的类型',
  'the value of an attribute': '属性的值',
  'the digest algorithm {0} is not supported': '不支持摘要算法 {0}',
  'the signature algorithm is not supported': '不支持该签名算法',
  'the signed digest of the content does not match the content': '内容的签名摘要与内容不符',
  'the signed content type is not that of the content': '被签名的内容类型不是该内容的类型',
  'the certificate of the signer is not in the signature': '签名者的证书不在签名中',
  // authenticity/der.ts
  '{0} has the tag 0x{1}': '{0!}的标记为 0x{1}',
  'a simple value stands where a structure should': '应为结构的位置是简单值',
  '{0} holds {1} values, not one': '{0!}含有 {1} 个值，而不是一个',
  'a string comes in pieces inside pieces': '一个字符串的片段中还有片段',
  'a piece of a string is not a string': '字符串的一个片段不是字符串',
  'an object identifier': '对象标识符',
  'an object identifier is cut': '一个对象标识符被截断',
  'an object identifier is too large': '一个对象标识符过大',
  'a number': '数字',
  'a number is out of range': '有一个数字超出范围',
  'a bit string': '位串',
  'a bit string ends inside a byte': '一个位串在字节内部结束',
  'a time is not written as one': '时间的写法不是时间',
  'a time names a moment that does not exist': '时间所指的时刻不存在',
  'an element is cut': '一个元素被截断',
  'an element has a tag of several bytes': '一个元素的标记有多个字节',
  'a simple value has no length': '一个简单值没有长度',
  'a length has a wrong form': '一个长度的形式有误',
  'a signature has more than {0} elements': '一个签名的元素超过 {0} 个',
  'an element wants {0} bytes, but there are fewer': '一个元素需要 {0} 字节，实有不足',
  'elements without length are nested too deep': '无长度的元素嵌套过深',
  'an element wants more bytes than there are': '一个元素需要的字节多于实有',
  // authenticity/embedded-signatures.ts
  'it cannot be read': '无法读取',
  'more than {0} signatures lie inside each other': '超过 {0} 个签名互相嵌套',
  'The unsigned attributes were not read: {0}.': '未签名的属性未读取：{0!}。',
  'The signature was not made for {0}.': '该签名不是为{0!}制作的。',
  'The digest algorithm {0} is not supported.': '不支持摘要算法 {0}。',
  'The signed {0} digest {1} is not that of the file, {2}.': '被签名的 {0} 摘要 {1} 不是该文件的摘要 {2}。',
  'Certificates that belong to no chain are in the signature: {0}{1}.':
    '签名中有不属于任何证书链的证书：{0}{1!}。',
  // authenticity/jar-manifest.ts
  'a list of digests has more than {0} lines': '一个摘要列表超过 {0} 行',
  'a list of digests has more than {0} sections': '一个摘要列表超过 {0} 节',
  // authenticity/jar-signature.ts
  'a file of the signature has more than {0} bytes': '签名的一个文件超过 {0} 字节',
  '{0} is a signature over lists that are not there': '{0} 所签署的列表不存在',
  'the list of digests cannot be read: {0}': '摘要列表无法读取：{0!}',
  '{0} is a signature over a list that is not there': '{0} 所签署的列表不存在',
  'the package has more than {0} signers': '软件包的签名者超过 {0} 个',
  'A v1 signature was not read: {0}.': '一个 v1 签名未读取：{0!}。',
  'is there more than once': '不止一次出现',
  'is not in the list of digests': '不在摘要列表中',
  'is in the list of digests, but not in the package': '在摘要列表中，但不在软件包中',
  'has no digest that can be checked': '没有可核对的摘要',
  ', because it {0}': '，因为它{0!}',
  'does not have the {0} digest that is stated{1}': '与所声明的 {0} 摘要不符{1!}',
  'Of {0} signers in one file the first is checked, as Android does.':
    '一个文件有 {0} 个签名者，像 Android 那样只核对第一个。',
  'is not signed by this signer': '未由该签名者签名',
  'v1: {0} more members do not hold.': 'v1：另有 {0} 个成员不成立。',
  'the list of digests names "{0}" more than once': '摘要列表多次列出“{0}”',
  'the list of digests has sections that name no member': '摘要列表有的节没有写出成员',
  'the signed list does not say that it is one': '被签名的列表没有说明自己是这样的列表',
  'the signed digest of the head of the manifest is not that of the manifest': '清单开头的签名摘要与清单不符',
  'the signed digest of what the manifest says of "{0}" is not that of the manifest':
    '清单中“{0}”部分的签名摘要与清单不符',
  'the signed digest of the manifest is not that of the manifest': '清单的签名摘要与清单不符',
  // authenticity/judgement.ts
  'The certificate was valid from {0} to {1}, not when the file was signed.':
    '证书的有效期为 {0} 至 {1}，不包括文件签名之时。',
  'Its signed digest holds': '其签名摘要成立',
  'The file ends {0} bytes before {1}, and {2}.': '文件比{1!}早 {0} 字节结束，且{2!}。',
  'A signature at offset {0} cannot be read. {1}': '偏移 {0} 处的一个签名无法读取。{1!}',
  'The file has more signatures than are looked at.': '文件的签名多于检查的数目。',
  'The signature uses an algorithm that is not supported, so nothing is proved.':
    '签名使用了不支持的算法，因此什么也没有证明。',
  'The signed digest ({0}) holds.': '签名摘要（{0}）成立。',
  'All signed digests ({0}) hold.': '所有签名摘要（{0}）均成立。',
  'nested signature at offset {0}': '偏移 {0} 处的嵌套签名',
  'signature at offset {0}': '偏移 {0} 处的签名',
  'the {0} is not confirmed by the key of its signer': '{0!}未得到其签名者密钥的确认',
  'the {0} digest {1} in the {2} is not that of the file': '{2!}中的 {0} 摘要 {1} 不是该文件的摘要',
  'at {0}': '签名时间为 {0}',
  'at a time that no timestamp proves': '签名时间没有时间戳证明',
  'a certificate of the publisher': '发布者的证书',
  'a certificate that a pinned authority issued to the publisher': '由固定的颁发机构颁发给发布者的证书',
  'Signed with {0}, {1}.': '以{0!}签名，{1!}。',
  'but that signature does not hold over this file': '但该签名对这个文件不成立',
  'but the certificate is none that the publisher is known to have signed with':
    '但该证书不是已知发布者用于签名的证书',
  'The signer is named "{0}", {1}.': '签名者名为“{0}”，{1!}。',
  'A signature by a certificate of the publisher holds, but the file as a whole is not intact.':
    '发布者证书的签名成立，但文件整体并不完好。',
  'The signer "{0}" is no publisher that is known here.': '签名者“{0}”不是这里已知的发布者。',
  // authenticity/msi-signature.ts
  'What belongs to a signature is in the package, the signature itself is not.':
    '软件包中有属于签名的内容，签名本身却不在。',
  'its directory says': '其目录所说的末尾',
  'An entry bears the name of a signature, but is none.': '一个条目带有签名的名称，却不是签名。',
  '{0} bytes lie behind the signature in its stream; no digest covers them.':
    '签名的流中签名之后有 {0} 字节；没有摘要覆盖它们。',
  '{0} bytes lie in sectors that belong to no stream; no digest covers them.':
    '不属于任何流的扇区中有 {0} 字节；没有摘要覆盖它们。',
  '{0} bytes lie behind the last sector, which has to be the end of the file.':
    '最后一个扇区之后有 {0} 字节，而该扇区必须在文件末尾。',
  'The digest of names, sizes and times in the package is not that of the file.':
    '软件包中名称、大小和时间的摘要不是该文件的摘要。',
  // authenticity/publisher-pins.ts
  'the certificate is pinned from {0} to {1}, but the file was signed on {2}':
    '该证书的固定期为 {0} 至 {1}，但文件签署于 {2}',
  'the certificate is pinned, but it was not valid when the file was signed on {0}':
    '该证书是固定的，但文件签署于 {0}，当时证书不在有效期内',
  // authenticity/spc.ts
  'the signature is over {0}, not over a file': '签名针对的是 {0}，而不是文件',
  'the signed content': '签名内容',
  'the type of the data': '数据的类型',
  'the digest algorithm': '摘要算法',
  'the signed digest has {0} bytes, too few or many for {1}': '签名摘要有 {0} 字节，对 {1} 来说过少或过多',
  'the program': '程序',
  'a field of the program': '程序的一个字段',
  // authenticity/timestamp.ts
  'it cannot be read: {0}': '无法读取：{0!}',
  'its content is {0}, no timestamp': '其内容是 {0}，不是时间戳',
  'the timestamp': '时间戳',
  'the imprint': '印记',
  'the digest of the imprint': '印记的摘要',
  'the time': '时间',
  'it has no signed attributes': '没有签名属性',
  'the digest {0} of its imprint is not supported': '不支持其印记的摘要 {0}',
  'it was made for another signature': '它是为另一个签名制作的',
  'it states no time': '没有写明时间',
  '"{0}" is not a certificate for timestamping': '“{0}”不是时间戳证书',
  '"{0}" was not valid at that time': '“{0}”当时不在有效期内',
  // authenticity/x509.ts
  'a PSS parameter list': 'PSS 参数表',
  'a PSS parameter': 'PSS 参数',
  'a mask function': '掩码函数',
  'a mask digest': '掩码摘要',
  'the signed part of a certificate': '证书的被签名部分',
  'a version': '版本',
  'a validity': '有效期',
  'a start of validity': '有效期的开始',
  'an end of validity': '有效期的结束',
  'a subject': '主体',
  'a public key': '公钥',
  'a name': '名称',
  'a part of a name': '名称的一部分',
  'the type of a name': '名称的类型',
  'the value of an extension': '扩展的值',
  'an extension is empty': '一个扩展为空',
  'the type of an extension': '扩展的类型',
  'basic constraints': '基本约束',
  'a key usage': '密钥用法',
  'key purposes': '密钥用途',
  'a key identifier': '密钥标识符',
  'the chain has more than {0} certificates': '证书链超过 {0} 个证书',
  'more than {0} certificates could be the issuer': '可能是颁发者的证书超过 {0} 个',
  '"{0}" is not signed by the certificate that bears the name of its issuer':
    '“{0}”未由写有其颁发者名称的证书签名',
  '"{0}" was not valid at {1}': '“{0}”在 {1} 不在有效期内',
  '{0} is not a certificate authority': '{0} 不是证书颁发机构',
  '{0} may not sign certificates': '{0} 不可签发证书',
  '{0} may not have so many authorities below it': '{0} 之下不可有这么多颁发机构',
  // scan/bundles.ts
  'names {0}': '指名 {0!}',
  'no program': '没有程序',
  'the program "{0}", which could not be read': '程序“{0}”，它无法读取',
  'the signature of the bundle was not checked': '套装的签名未核对',
  // scan/finding.ts
  'the limit stopped the work: {0}': '限制中止了工作：{0!}',
  'telltale failed here ({0})': 'telltale 在此出错（{0}）',
  // scan/listed-digests.ts
  'holds "{0}", which does not have the {1} digest that the package states':
    '含有“{0}”，与软件包声明的 {1} 摘要不符',
  'the file, or the list, was changed after the package was made': '软件包制成之后，该文件或该列表被改动',
  // scan/walk.ts
  'the bytes from there on were not searched': '从那里起的字节未搜索',
  'unpacks to {0} bytes, more than may be kept in memory': '解包后为 {0} 字节，超过可保留在内存中的量',
  'all of it was searched for known bytes, but its structure was not read and nothing inside it was opened':
    '全部内容已搜索已知字节，但未读取其结构，也未打开其中任何内容',
  'the bytes from there on were not observed': '从那里起的字节未观察',
  'its structure as {0} was not read; its bytes were searched': '未读取其{0!}的结构；其字节已搜索',
  'its signature was not checked': '其签名未核对',
  'what lies hidden behind that place was not looked for': '未寻找该位置之后隐藏的内容',
  'is empty': '是空的',
  'there is nothing to judge; a download may have failed': '没有可判断的内容；下载可能失败了',
  'is {0} bytes of unknown content behind the program (entropy {1} of 8 bits a byte)':
    '程序之后有 {0} 字节内容不明的数据（熵为每字节 {1} 位，满值 8 位）',
  'it may be compressed or encrypted; nothing in it was opened': '可能经过压缩或加密；未打开其中任何内容',
  'holds more places where a regular expression might match than are tried':
    '正则表达式可能匹配的位置多于尝试的数目',
  'a telltale that rests on a regular expression may have been missed': '依靠正则表达式的特征可能被漏掉',
  'lies in a container that was not read to its end': '所在的容器未读到末尾',
  'its seal was not checked, because files may be missing for that reason alone':
    '其封印未核对，因为仅此就可能缺少文件',
  folder: '文件夹',
  'Apple bundle': 'Apple 套装',
  'not read': '未读取',
  // scan/rule-search.ts
  'is larger than {0} bytes, which may be kept in memory at once':
    '大于 {0} 字节，超过可同时保留在内存中的量',
  'was not at hand as a whole': '没有完整地在手',
  'is behind the first {0} matches of rules': '在前 {0} 处规则匹配之后',
  'matches from there on are not told': '从那里起的匹配不再列出',
  'the rules given with --rules were not tried on it': '未对它试用 --rules 给出的规则',
  'it was not compared with known builds': '未与已知构建比较',
  'the rules of {0} could not be run: {1}': '{0} 的规则无法运行：{1}',
  'the database was changed during the scan: its digest was {0}, and is {1}':
    '扫描期间数据库被改动：其摘要原为 {0}，现为 {1}',
  // verdict/assess.ts
  'it is the same program in another form': '它是同一程序的另一种形式',
  // verdict/judge.ts
  'it carries what is documented of a known fake': '带有已记录的仿冒品的特征',
  'what is inside names another edition; a valid signature would not change that':
    '其内容指明是另一版本；有效的签名也不能改变这一点',
  'its digest is recorded for a download of another edition': '其摘要记录为另一版本的下载文件',
  'it is a known file that only borrows the name': '它是只借用该名称的已知文件',
  'its digest is recorded for an official download': '其摘要记录为官方下载文件',
  'its digest is recorded for an official download, but only under MD5 or SHA-1, which can be forged':
    '其摘要记录为官方下载文件，但只有可以伪造的 MD5 或 SHA-1',
  "its signature bears the publisher's name, but not a certificate that the publisher is known to have used":
    '其签名写有发布者的名称，但证书不是已知发布者用过的证书',
  'a signature or a seal is present and does not hold for these bytes': '有签名或封印，但对这些字节不成立',
  'bytes that its own headers promise are not there; whether by accident or on purpose cannot be told':
    '其自身头部承诺的字节不在；是意外还是有意，无法判断',
  'it is intact and signed with a certificate that the publisher is known to have used':
    '它完好，并以已知发布者用过的证书签名',
  'it says that it is the product, and somebody else signed it': '它自称是该产品，而由他人签名',
  'a transport is judged by the gravest thing in it': '传输容器按其中最严重的内容判断',
  'what it carries is judged so, and nothing proves the file around it':
    '它携带的内容如此判定，而没有任何东西证明外面的文件',
  'it carries the product, but a genuine member does not clear the program around it':
    '它携带该产品，但真品成员不能证明外面的程序',
  'it looks like the product; nothing proves or disproves it': '它看起来像该产品；没有证明，也没有反证',
  'nothing in it claims to be the product': '其中没有任何内容声称是该产品',
  // verdict/lock.ts
  'lock: new file': '锁定：新文件',
  'it is not in the lock': '不在锁定文件中',
  'lock: missing file': '锁定：缺少文件',
  'the lock has it, and it is not there': '锁定文件中有它，而它不在',
  'lock: unread': '锁定：未读取',
  'its bytes could not be read and compared': '其字节无法读取和比对',
  'lock: changed content': '锁定：内容改变',
  'its sha256 is {0}…, and the lock has {1}': '其 sha256 为 {0}…，锁定文件中为 {1}',
  'its {0} is {1}, and the lock has {2}': '其 {0} 为 {1}，锁定文件中为 {2}',
  'lock: changed verdict': '锁定：判定改变',
  // verdict/policy.ts
  'fail on rule': '遇规则匹配即不通过',
  'the rule {0} matches': '规则 {0} 匹配',
  'exception expired': '例外已到期',
  'the exception of {0} ({1}) ended on {2}': '{0} 的例外（{1}）已于 {2} 到期',
  'fail on {0}': '遇 {0} 即不通过',
  'it is {0}': '判定为 {0}',
  'fail on incomplete': '遇 incomplete 即不通过',
  'require {0}': '要求 {0}',
  'it claims to be no product that is known': '没有声称是任何已知产品',
  'its {0} is {1}, not {2}': '其 {0} 为 {1!}，不是 {2}',
  'not known': '未知',
  'its version is {0}, and {1} or later is asked': '其版本为 {0!}，要求 {1} 或更高',
  'known build': '已知构建',
  'it is not in the ledger of known builds': '不在已知构建台账中',
  'it was not read fully ({0})': '未完整读取（{0}）',
  // verdict/result.ts
  'is named like {0}, but nothing that was read in it says that it is':
    '名称像 {0}，但其中读到的内容没有表明它是',
  'is named .{0}, but its content is another: {1}': '扩展名为 .{0}，但内容是另一种：{1!}',
  // verdict/unread.ts
  'nothing of it could be read': '其中没有任何内容可以读取',
  // jobs/failed.ts
  'nothing is known about this file': '对该文件一无所知',
  'no pattern was counted in this file': '未在该文件中计数任何模式',
  'took more than {0} ms and was stopped': '耗时超过 {0} 毫秒，已被中止',
};

/**
 * What the source makes of such texts when it changes words in them, pieces of one word, and texts that another template
 * would take for its own.
 */
export const rewrittenTexts: Readonly<Record<string, string>> = {
  'but {0}': '但{0!}',
  'v1: {0}': 'v1：{0!}',
  'v2: {0}': 'v2：{0!}',
  'v3: {0}': 'v3：{0!}',
  'v3.1: {0}': 'v3.1：{0!}',
  'By its {0} signature the signed {1} digest {2} is not that of the package{3}.':
    '按其 {0} 签名，被签名的 {1} 摘要 {2} 不是该软件包的{3!}。',
  'By its {0} signature {1}': '按其 {0} 签名，{1!}',
  '{0} bytes lie {1}; no digest covers them.': '{1!}有 {0} 字节；没有摘要覆盖它们。',
  'has a stream of small sectors whose chain of sectors {0}': '小扇区流的扇区链{0!}',
  '"{0}" {1}': '"{0}" {1!}',
  behind: '之后',
  between: '之间',
};
