"""Prints as JSON what pefile reads from each file named on the command line, for the differential test."""

import json
import sys

import pefile


def text(value):
    return value.decode("latin-1").split("\0")[0] if value is not None else None


def version_text(value):
    return value.decode("utf-8", "replace")


def describe(path):
    pe = pefile.PE(path, fast_load=False)
    strings = []
    for infos in getattr(pe, "FileInfo", []) or []:
        for info in infos:
            for table in getattr(info, "StringTable", []) or []:
                for key, value in table.entries.items():
                    strings.append([version_text(table.LangID), version_text(key), version_text(value)])
    fixed = [
        "%d.%d.%d.%d" % (i.FileVersionMS >> 16, i.FileVersionMS & 0xFFFF, i.FileVersionLS >> 16, i.FileVersionLS & 0xFFFF)
        for i in getattr(pe, "VS_FIXEDFILEINFO", [])
    ]
    resources = []
    if hasattr(pe, "DIRECTORY_ENTRY_RESOURCE"):
        for kind in pe.DIRECTORY_ENTRY_RESOURCE.entries:
            if not hasattr(kind, "directory"):
                continue
            for name in kind.directory.entries:
                if not hasattr(name, "directory"):
                    continue
                for language in name.directory.entries:
                    key = lambda e: e.id if e.name is None else e.name.decode()
                    resources.append([key(kind), key(name), key(language), language.data.struct.Size])
    exports = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    debug = [text(d.entry.PdbFileName) for d in getattr(pe, "DIRECTORY_ENTRY_DEBUG", []) if d.entry is not None and hasattr(d.entry, "PdbFileName")]
    return {
        "machine": pe.FILE_HEADER.Machine,
        "timeDateStamp": pe.FILE_HEADER.TimeDateStamp,
        "subsystem": pe.OPTIONAL_HEADER.Subsystem,
        "checksum": pe.OPTIONAL_HEADER.CheckSum,
        "imageBase": str(pe.OPTIONAL_HEADER.ImageBase),
        "directories": [[d.VirtualAddress, d.Size] for d in pe.OPTIONAL_HEADER.DATA_DIRECTORY],
        "sections": [
            [text(s.Name), s.VirtualAddress, s.Misc_VirtualSize, s.PointerToRawData, s.SizeOfRawData, s.Characteristics, round(s.get_entropy(), 3)]
            for s in pe.sections
        ],
        "versionStrings": strings,
        "fileVersions": fixed,
        "resources": resources,
        "libraries": [text(e.dll).lower() for e in getattr(pe, "DIRECTORY_ENTRY_IMPORT", [])],
        "delayed": [text(e.dll).lower() for e in getattr(pe, "DIRECTORY_ENTRY_DELAY_IMPORT", [])],
        "imphash": pe.get_imphash(),
        "richHash": pe.get_rich_header_hash(),
        "moduleName": text(exports.name) if exports else None,
        "exports": [text(s.name) for s in exports.symbols if s.name] if exports else [],
        "debugPaths": debug,
        "overlayOffset": pe.get_overlay_data_start_offset(),
    }


print(json.dumps([describe(path) for path in sys.argv[1:]]))
