import type { Authenticity } from '../authenticity/model.ts';
import { verifySignable } from '../authenticity/verification.ts';
import type { Budget } from '../bytes/budget.ts';
import { ByteGatherer } from '../bytes/byte-gatherer.ts';
import { type ByteSource, readChunks, readPassing, readUpTo } from '../bytes/byte-source.ts';
import { carve, findUnexplained } from '../formats/carve.ts';
import { identify, tryFindMismatch, tryToStoredMembers } from '../formats/index.ts';
import type {
  Fact,
  FileOnDisk,
  Finding,
  Format,
  Member,
  MemberContent,
  MemberSink,
  Reading,
  ReadContext,
} from '../formats/model.ts';
import { measureEntropy } from '../formats/pe/entropy.ts';
import { type DigestAlgorithm, Digester } from '../platform/digests.ts';
import { Hits, Matcher } from '../signatures/match.ts';
import { ArtifactDigests, type Digests } from './artifact-digests.ts';
import type { AsideDecoder, DigestsAside } from './aside.ts';
import { BundleBasket, isInBundle } from './bundles.ts';
import { findClosest, isRecorded } from './closest.ts';
import { toFinding } from './finding.ts';
import type { Knowledge } from './knowledge.ts';
import { checkListedDigests, findListedAlgorithms, packagesWithDigests } from './listed-digests.ts';
import { type Artifact, pathSeparator, type Problem } from './model.ts';
import { isUnread, observe } from './observe.ts';
import type { Onlookers } from './onlookers.ts';
import { type PassedMember, passingBytesMin, PassingMembers } from './passing-members.ts';

/** What the walk is told about one artifact before it looks at the bytes. */
interface Task {
  readonly name: string;
  readonly path: string;
  readonly relation: Artifact['relation'];
  readonly content: MemberContent;
  readonly facts: readonly Fact[];
  readonly depth: number;
  /** Formats of the programs that this artifact is a part of, innermost last. */
  readonly programs: readonly string[];
  /** For the artifact given itself, when it is a file on disk. */
  readonly file?: FileOnDisk;
  /** Whether the file is in the database by its digest; of an image: the file that it is an image of. */
  readonly isRecorded?: () => boolean;
  /** Digests that a package around it states of its files. */
  readonly listedAlgorithms?: readonly DigestAlgorithm[];
  /** Where its container gathers what it needs to check bundles. */
  readonly basket?: BundleBasket;
  /** What was found of it while its container passed. */
  readonly passed?: PassedMember;
  /** Of a container: what was found of its members while it passed. */
  readonly passing?: PassingMembers | undefined;
  /** What its container knows about the names of its members. */
  rename?(name: string): string | undefined;
}

/** What consuming the bytes of an artifact gave. */
interface Contents {
  readonly source: ByteSource | undefined;
  readonly size: number;
  readonly digests: ArtifactDigests;
  readonly hits: Hits;
  /** Decoded bytes that are kept in memory for the parsers. */
  readonly bytesHeld: number;
  /** Members that were digested and searched in the same pass. */
  readonly passing?: PassingMembers | undefined;
}

type Report = (finding: Finding) => void;
/** What opening a container needs beside what was read of it. */
interface OpenContext {
  /** Absent when there are members only. */
  readonly source?: ByteSource;
  readonly report: Report;
}

type DigestLater = (source: ByteSource, algorithms: readonly DigestAlgorithm[]) => Digests;

const chunkBytes = 1 << 20;
const probedBytes = 4096;

/** Limits that count over the whole tree: once one is hit, nothing more is unpacked. */
const treeWideLimits: ReadonlySet<string> = new Set([
  'limit/bytes',
  'limit/ratio',
  'limit/members',
  'limit/time',
]);

/**
 * Walks one file and everything inside it: identify, digest and match in one pass, describe, verify, open, recurse.
 * The only recursion over containers in the project. Whatever a parser throws stops here and becomes a problem.
 */
export class Walk {
  readonly #knowledge: Knowledge;
  readonly #budget: Budget;
  readonly #onlookers: Onlookers;
  readonly #aside: AsideDecoder | undefined;
  /** Of the file given: those that are wanted when it tells of a product. */
  #given: DigestsAside | undefined;
  #isGivenSeen = false;
  #stopped = false;
  #bytesInMemory = 0;
  #bytesInBaskets = 0;

  /** @param aside - decodes beside the walk; without, everything is decoded in this thread */
  constructor(knowledge: Knowledge, budget: Budget, onlookers: Onlookers = {}, aside?: AsideDecoder) {
    this.#knowledge = knowledge;
    this.#budget = budget;
    this.#onlookers = onlookers;
    this.#aside = aside;
  }

  /**
   * @param name - shown as the first part of every path
   * @param source - the bytes of the file; stays open until the walk ends
   * @param file - on disk, when it is there
   */
  async run(name: string, source: ByteSource, file?: FileOnDisk): Promise<Artifact> {
    this.#given = this.#aside?.tryDigest?.(source, toLaterAlgorithms(this.#knowledge, new Set(['sha256'])));
    try {
      return await this.#visit({
        name,
        path: name,
        relation: 'root',
        content: { kind: 'source', source },
        facts: [],
        depth: 0,
        programs: [],
        ...(file === undefined ? {} : { file }),
      });
    } finally {
      this.#given?.cancel();
      this.#given = undefined;
    }
  }

  /**
   * Walks a folder whose files are one program.
   *
   * @param name - of the folder, shown as the first part of every path
   * @param facts - links in it
   * @param members - its files
   */
  async runFolder(name: string, facts: readonly Fact[], members: () => Iterable<Member>): Promise<Artifact> {
    const task: Task = {
      name,
      path: name,
      relation: 'root',
      content: { kind: 'stream', open: () => toAsync([]) },
      facts: [],
      depth: 0,
      programs: [],
    };
    const problems: Problem[] = [];
    const reading: Reading = { facts, regions: [], members };
    const report = toReporter(task, problems);
    const found = await this.#open(task, folderFormat, reading, problems, { report });
    const size = found.reduce((sum, artifact) => sum + (artifact.size ?? 0), 0);
    const contents: Contents = {
      source: undefined,
      size,
      digests: noDigests,
      hits: new Hits(),
      bytesHeld: 0,
    };
    return this.#toArtifact(task, folderFormat, contents, problems, reading, undefined, found);
  }

  async #visit(task: Task): Promise<Artifact> {
    const problems: Problem[] = [];
    const report = toReporter(task, problems);
    const contents = await this.#consume(task, report);
    try {
      return await this.#examine(task, contents, problems, report);
    } finally {
      this.#bytesInMemory -= contents.bytesHeld;
    }
  }

  /** Everything that needs random access: what is it, what is in it, who signed it. */
  async #examine(
    task: Task,
    contents: Contents,
    problems: readonly Problem[],
    report: Report,
  ): Promise<Artifact> {
    const { source } = contents;
    if (contents.hits.isCutShort) report(tooManyAnchors);
    if (source === undefined) {
      // Digests of a member that was cut off are not those of the file.
      task.basket?.offerUnread(
        task.name,
        problems.some(({ code }) => code !== 'limit/memory') ? {} : contents.digests.first,
      );
      return this.#toArtifact(task, unknownFormat, contents, problems, nothingRead, undefined, []);
    }
    const format = identify(readUpTo(source, 0, probedBytes), source);
    this.#show(task.path, format.id, source, report);
    if (source.size === 0 && task.relation === 'root') report(emptyFile);
    const context: ReadContext = {
      budget: this.#budget,
      report,
      ...(task.file === undefined ? {} : { file: task.file }),
    };
    const read = await this.#read(format, source, context);
    const mismatch = isNamed(task) ? tryFindMismatch(task.name, format) : undefined;
    const reading = mismatch === undefined ? read : { ...read, facts: [mismatch, ...read.facts] };
    if (task.basket?.offer(task.name, source, reading, contents.digests.first) === true) {
      // Its bytes stay until the container ends; that they are held is counted until then.
      this.#bytesInMemory += contents.bytesHeld;
      this.#bytesInBaskets += contents.bytesHeld;
    }
    const authenticity = await this.#verify(reading, report);
    const known: Task = {
      ...task,
      ...(task.relation === 'image'
        ? {}
        : { isRecorded: () => isRecorded(this.#knowledge, contents.digests.all) }),
      passing: contents.passing,
    };
    const members = await this.#open(known, format, reading, problems, { source, report });
    const carved = await this.#carve(task, format, source, contents.hits, reading, members, context);
    const broken = packagesWithDigests.has(format.id)
      ? checkListedDigests(reading.facts, members, report)
      : [];
    this.#onlookers.visitor?.(task.path, source);
    const artifact = this.#toArtifact(
      task,
      format,
      contents,
      problems,
      broken.length === 0 ? reading : { ...reading, facts: [...reading.facts, ...broken] },
      authenticity,
      [...members, ...carved],
    );
    const isKnown =
      task.relation === 'image'
        ? task.isRecorded?.() === true
        : isRecorded(this.#knowledge, contents.digests.known);
    return isKnown ? artifact : this.#compare(artifact, source, report);
  }

  /** Looks for known builds that are alike, while the bytes are at hand. */
  #compare(artifact: Artifact, source: ByteSource, report: Report): Artifact {
    if (this.#stopped) return artifact;
    try {
      const closest = findClosest(this.#knowledge, artifact, source, () => this.#budget.checkTime());
      return closest.length === 0 ? artifact : { ...artifact, closest };
    } catch (error) {
      report(this.#toFinding(error, 'it was not compared with known builds'));
      return artifact;
    }
  }

  /** Reads every byte once: digests and patterns see each chunk, and decoded bytes are kept for the parsers. */
  async #consume(task: Task, report: Report): Promise<Contents> {
    const { content } = task;
    switch (content.kind) {
      case 'unreadable':
        report(content.finding);
        return this.#takeIn(task, 0, report).finish(undefined);

      case 'source': {
        const passed = this.#tryTakePassed(task, content.source, report);
        if (passed !== undefined) return passed;
        const intake = this.#takeIn(task, 0, report);
        try {
          for (const chunk of readPassing(content.source)) {
            // The file itself is not unpacked; ranges inside it are charged, or overlapping members would cost nothing.
            if (task.relation === 'root') this.#budget.checkTime();
            else this.#budget.chargeBytes(chunk.length);
            intake.see(chunk);
            if (task.relation === 'root' && intake.hasHits) this.#beginGiven(content.source);
          }
        } catch (error) {
          report(this.#toFinding(error, 'the bytes from there on were not searched'));
          return intake.finish(undefined);
        }
        return intake.finish(content.source);
      }

      case 'stream': {
        const intake = this.#takeIn(task, this.#room, report);
        try {
          for await (const chunk of content.open()) {
            this.#budget.chargeBytes(chunk.length);
            intake.keep(chunk, content.usesChunksAgain !== true);
          }
        } catch (error) {
          report(this.#toFinding(error, unreadRest));
        }
        return this.#hold(intake, report);
      }
    }
  }

  /**
   * Takes what was found while the container passed, which is charged as if the bytes were read again; undefined when it
   * is not all, or when there is no room for so many.
   */
  #tryTakePassed(task: Task, source: ByteSource, report: Report): Contents | undefined {
    const { passed } = task;
    const algorithms = toAlgorithms(task);
    const first = passed && tryPick(passed.digests, algorithms);
    if (passed === undefined || first === undefined || !this.#budget.hasRoomFor(source.size))
      return undefined;
    try {
      this.#budget.chargeBytes(source.size);
    } catch (error) {
      report(this.#toFinding(error, 'the bytes from there on were not searched'));
      return this.#takeIn(task, 0, report).finish(undefined);
    }
    const later = toLaterAlgorithms(this.#knowledge, algorithms);
    const digestLater = later.length === 0 ? undefined : () => this.#digestLater(source, later, report);
    const digests = new ArtifactDigests(first, digestLater);
    return { source, size: source.size, digests, hits: passed.hits(), bytesHeld: 0 };
  }

  /** @param room - decoded bytes that may be kept */
  #takeIn(task: Task, room: number, report: Report): Intake {
    const { content } = task;
    const expected = content.kind === 'stream' ? content.declaredSize : undefined;
    return new Intake(
      this.#knowledge,
      toAlgorithms(task),
      room,
      expected,
      (source, later) =>
        (task.relation === 'root' ? this.#tryTakeGiven(later) : undefined) ??
        this.#digestLater(source, later, report),
    );
  }

  /**
   * What is found in the bytes of a program is told of it in all likelihood; what is found in those of a container belongs
   * to its members.
   */
  #beginGiven(source: ByteSource): void {
    if (this.#given === undefined || this.#isGivenSeen) return;
    this.#isGivenSeen = true;
    if (identify(readUpTo(source, 0, probedBytes), source).nature === 'acting') this.#given.start();
  }

  /** What another thread has computed of the file given, where that is all that is wanted. */
  #tryTakeGiven(algorithms: readonly DigestAlgorithm[]): Digests | undefined {
    const digests = this.#given?.take();
    return digests && tryPick(digests, new Set(algorithms));
  }

  #digestLater(source: ByteSource, algorithms: readonly DigestAlgorithm[], report: Report): Digests {
    const digester = new Digester(algorithms);
    try {
      for (const chunk of readPassing(source)) {
        this.#budget.checkTime();
        digester.update(chunk);
      }
    } catch (error) {
      report(this.#toFinding(error, 'it was looked up among known builds by its SHA-256 alone'));
      return {};
    }
    return digester.finish();
  }

  /** Bytes of decoded members that may still be kept in memory. */
  get #room(): number {
    return Math.max(0, this.#budget.limits.memberBytesInMemory - this.#bytesInMemory);
  }

  /** Counts what an intake kept; whoever examined it gives it back. */
  #hold(intake: Intake, report: Report): Contents {
    if (intake.isOverflown) {
      report({
        code: 'limit/memory',
        message: `unpacks to ${intake.size} bytes, more than may be kept in memory`,
        consequence:
          'all of it was searched for known bytes, but its structure was not read and nothing inside it was opened',
        incomplete: true,
      });
    }
    const contents = intake.finishKept();
    this.#bytesInMemory += contents.bytesHeld;
    return contents;
  }

  /** Feeds the bytes to whoever observes the walk. */
  #show(path: string, format: string, source: ByteSource, report: Report): void {
    const tap = this.#onlookers.observer?.begin(path, format);
    if (tap === undefined) return;
    try {
      for (const chunk of readChunks(source, chunkBytes)) {
        this.#budget.checkTime();
        tap.update(chunk);
      }
    } catch (error) {
      report(this.#toFinding(error, 'the bytes from there on were not observed'));
    }
    tap.finish();
  }

  async #read(format: Format, source: ByteSource, context: ReadContext): Promise<Reading> {
    try {
      return await format.read(source, context);
    } catch (error) {
      context.report(
        this.#toFinding(error, `its structure as ${format.title} was not read; its bytes were searched`),
      );
      return { facts: [], regions: [] };
    }
  }

  async #verify(reading: Reading, report: Report): Promise<Authenticity | undefined> {
    const { signed } = reading;
    const { pins } = this.#knowledge;
    const context = { budget: this.#budget };
    try {
      return signed === undefined ? undefined : await verifySignable(signed, pins, context);
    } catch (error) {
      report(this.#toFinding(error, 'its signature was not checked'));
      return undefined;
    }
  }

  async #open(
    task: Task,
    format: Pick<Format, 'id' | 'nature'>,
    reading: Reading,
    problems: readonly Problem[],
    context: OpenContext,
  ): Promise<readonly Artifact[]> {
    const { report } = context;
    const visited: Artifact[] = [];
    const programs = format.nature === 'acting' ? [...task.programs, format.id] : task.programs;
    const basket = new BundleBasket();
    const inBaskets = this.#bytesInBaskets;
    for (const fact of reading.facts) {
      if (fact.kind === 'memberLink' && fact.name !== undefined)
        basket.offerLink(fact.name, String(fact.value));
    }
    const listed = packagesWithDigests.has(format.id) ? findListedAlgorithms(reading.facts) : [];
    const container: Task = {
      ...task,
      basket,
      ...(listed.length === 0 ? {} : { listedAlgorithms: [...(task.listedAlgorithms ?? []), ...listed] }),
    };
    try {
      if (reading.members !== undefined && !this.#stopped)
        await this.#visitAll(reading.members(), container, programs, visited);
      if (reading.pour !== undefined && !this.#stopped)
        await this.#pour(container, programs, format, reading, context, visited);
    } catch (error) {
      report(this.#toFinding(error, 'the members from there on were not looked at'));
    }
    try {
      return basket.isEmpty ? visited : await this.#toBundles(task, basket, visited, problems);
    } finally {
      this.#bytesInMemory -= this.#bytesInBaskets - inBaskets;
      this.#bytesInBaskets = inBaskets;
    }
  }

  /** Puts the members of each bundle together under one artifact, which is checked as a whole. */
  async #toBundles(
    container: Task,
    basket: BundleBasket,
    visited: readonly Artifact[],
    containerProblems: readonly Problem[],
  ): Promise<readonly Artifact[]> {
    // What a container did not give is not missing from the bundle.
    const isWhole = !this.#stopped && containerProblems.every(({ incomplete }) => !incomplete);
    const byName = new Map(visited.map((artifact) => [artifact.name, artifact]));
    const grouped = new Set<Artifact>();
    const bundles: Artifact[] = [];
    for (const { bundle, inner } of basket.findBundles()) {
      const members = visited.filter(({ name }) => name.startsWith(`${bundle.path}/`));
      for (const member of members) grouped.add(member);
      const name = bundle.path;
      const task: Task = {
        name,
        path: container.path + pathSeparator + name,
        relation: 'file',
        content: { kind: 'stream', open: () => toAsync([]) },
        facts: [],
        depth: container.depth + 1,
        programs: container.programs,
      };
      const problems: Problem[] = [];
      const report = toReporter(task, problems);
      let authenticity: Authenticity | undefined;
      try {
        if (isWhole)
          authenticity = await basket.verify(
            bundle,
            inner,
            byName,
            this.#knowledge.pins,
            this.#budget,
            report,
          );
        else report(bundleCutOff);
      } catch (error) {
        report(this.#toFinding(error, 'the signature of the bundle was not checked'));
      }
      const contents: Contents = {
        source: undefined,
        size: members.reduce((sum, { size }) => sum + (size ?? 0), 0),
        digests: noDigests,
        hits: new Hits(),
        bytesHeld: 0,
      };
      const reading: Reading = { facts: byName.get(bundle.infoPlist)?.facts ?? [], regions: [] };
      bundles.push(this.#toArtifact(task, bundleFormat, contents, problems, reading, authenticity, members));
    }
    return [...visited.filter((artifact) => !grouped.has(artifact)), ...bundles];
  }

  /** Lets a decoder pour, in another thread if there is one, which can be paused, or in this one. */
  async #pour(
    container: Task,
    programs: readonly string[],
    format: Pick<Format, 'id'>,
    reading: Reading,
    context: OpenContext,
    visited: Artifact[],
  ): Promise<void> {
    const { source, report } = context;
    const aside =
      source === undefined
        ? undefined
        : this.#aside?.tryPour({
            format,
            source,
            ...(container.file === undefined ? {} : { file: container.file }),
            budget: this.#budget,
            report,
          });
    if (aside === undefined) await this.#pourHere(container, programs, reading, report, visited);
    else await this.#visitAll(aside, container, programs, visited);
  }

  async #visitAll(
    members: AsyncIterable<Member> | Iterable<Member>,
    container: Task,
    programs: readonly string[],
    visited: Artifact[],
  ): Promise<void> {
    for await (const member of members) {
      this.#budget.chargeMember();
      this.#budget.checkDepth(container.depth + 1);
      visited.push(await this.#visit(toTask(member, container, programs)));
      if (this.#stopped) break;
    }
  }

  /** Lets a decoder that cannot be paused pour as many members as there is room for, examines them, and goes on. */
  async #pourHere(
    container: Task,
    programs: readonly string[],
    reading: Reading,
    report: Report,
    visited: Artifact[],
  ): Promise<void> {
    let from: number | undefined = 0;
    while (from !== undefined && !this.#stopped) {
      const basin = new Basin(container, programs);
      const next: number | undefined = await reading.pour?.(this.#toSink(container, basin, report), from);
      for (const { task, contents, problems } of basin.members) {
        try {
          if (!this.#stopped)
            visited.push(await this.#examine(task, contents, problems, toReporter(task, problems)));
          else
            visited.push(
              this.#toArtifact(task, unknownFormat, contents, problems, nothingRead, undefined, []),
            );
        } finally {
          this.#bytesInMemory -= contents.bytesHeld;
        }
      }
      if (basin.isClosed) return;
      if (next !== undefined && next <= from) throw new Error('a decoder does not come forward');
      from = next;
    }
  }

  #toSink(container: Task, basin: Basin, report: Report): MemberSink {
    const isAdmitted = (): boolean => {
      try {
        this.#budget.chargeMember();
        this.#budget.checkDepth(container.depth + 1);
        return !basin.isClosed;
      } catch (error) {
        basin.isClosed = true;
        report(this.#toFinding(error, 'the members from there on were not looked at'));
        return false;
      }
    };
    return {
      begin: (member, declaredSize) => {
        if (basin.isClosed) return 'stop';
        if (basin.holdsBytes && (declaredSize ?? 0) > this.#room) return 'later';
        if (!isAdmitted()) return 'stop';
        const entry = basin.add(member, declaredSize);
        const intake = this.#takeIn(entry.task, this.#room, entry.report);
        let isOver = false;
        return {
          write: (chunk) => {
            if (isOver || basin.isClosed) return false;
            try {
              this.#budget.chargeBytes(chunk.length);
            } catch (error) {
              entry.report(this.#toFinding(error, unreadRest));
              basin.isClosed = true;
              return false;
            }
            // The decoder uses its memory again.
            intake.keep(chunk, false);
            return true;
          },
          end: (finding) => {
            if (isOver) return;
            isOver = true;
            if (finding !== undefined) entry.report(finding);
            entry.finish(this.#hold(intake, entry.report));
          },
        };
      },
      refuse: (member, finding, declaredSize) => {
        if (basin.isClosed || !isAdmitted()) return;
        const entry = basin.add(member, declaredSize);
        entry.report(finding);
        entry.finish(this.#takeIn(entry.task, 0, entry.report).finish(undefined));
      },
    };
  }

  /** Programs, and unknown data that belongs to one, are searched for files that nothing has explained. */
  async #carve(
    task: Task,
    format: Format,
    source: ByteSource,
    hits: Hits,
    reading: Reading,
    members: readonly Artifact[],
    context: ReadContext,
  ): Promise<readonly Artifact[]> {
    const isUnknownPart = format.id === 'data' && task.programs.length > 0;
    if (this.#stopped || (reading.signed?.kind !== 'pe' && !isUnknownPart)) return [];
    const explained = [
      ...reading.regions.filter(({ name }) => explainedRegions.has(name)),
      ...members.flatMap(({ containerOffset, size }) =>
        containerOffset === undefined || size === undefined ? [] : [{ offset: containerOffset, size }],
      ),
    ];
    const ranges = findUnexplained(source.size, explained);
    const found: Artifact[] = [];
    const programs = format.nature === 'acting' ? [...task.programs, format.id] : task.programs;
    try {
      await this.#visitAll(carve(source, ranges, context, hits.marks), task, programs, found);
    } catch (error) {
      context.report(this.#toFinding(error, 'what lies hidden behind that place was not looked for'));
    }
    if (isUnknownPart && task.name === '[overlay]' && found.length === 0) reportOpaque(source, context);
    return found;
  }

  #toArtifact(
    task: Task,
    format: Pick<Format, 'id' | 'title' | 'nature'>,
    contents: Contents,
    problems: readonly Problem[],
    reading: Reading,
    authenticity: Authenticity | undefined,
    members: readonly Artifact[],
  ): Artifact {
    const declaredSize = task.content.kind === 'source' ? undefined : task.content.declaredSize;
    const facts = [...task.facts, ...reading.facts];
    const isKept = task.relation === 'root' && this.#onlookers.wantsAllDigests === true;
    const observations = observe(this.#knowledge, {
      name: task.name,
      isGiven: task.relation === 'root',
      format,
      programs: task.relation === 'part' || task.relation === 'image' ? task.programs : [],
      facts,
      regions: reading.regions,
      hits: contents.hits,
      size: contents.size,
      digests: contents.digests,
      // What could not be read may be anything.
      hasUnread: format === unknownFormat || isUnread(problems),
      authenticity,
      members,
    });
    const artifact: Artifact = {
      path: task.path,
      name: task.name,
      relation: task.relation,
      ...(task.content.kind === 'source' && task.content.containerOffset !== undefined
        ? { containerOffset: task.content.containerOffset }
        : {}),
      format: { id: format.id, title: format.title, nature: format.nature },
      size: contents.source === undefined && contents.size === 0 ? undefined : contents.size,
      ...(declaredSize === undefined ? {} : { declaredSize }),
      digests: toKept(task, isKept ? contents.digests.all : contents.digests.known),
      facts,
      regions: reading.regions,
      authenticity,
      observations,
      problems,
      members,
    };
    this.#onlookers.witness?.(artifact, contents.hits);
    return artifact;
  }

  #toFinding(error: unknown, consequence: string): Finding {
    const finding = toFinding(error, consequence);
    if (treeWideLimits.has(finding.code)) this.#stopped = true;
    return finding;
  }
}

/** Digests that are computed in any case. */
function toAlgorithms({ name, listedAlgorithms = [] }: Task): ReadonlySet<DigestAlgorithm> {
  const algorithms = new Set<DigestAlgorithm>(['sha256', ...listedAlgorithms]);
  // A seal may state either.
  if (isInBundle(name)) algorithms.add('sha1');
  return algorithms;
}

/** The digests that are wanted, when all of them are there. */
function tryPick(digests: Digests, algorithms: ReadonlySet<DigestAlgorithm>): Digests | undefined {
  const wanted = [...algorithms];
  return wanted.every((one) => digests[one] !== undefined)
    ? Object.fromEntries(wanted.map((one) => [one, digests[one]]))
    : undefined;
}

/** Digests that are computed only when something asks for them. */
function toLaterAlgorithms(
  { digestAlgorithms }: Knowledge,
  first: ReadonlySet<DigestAlgorithm>,
): readonly DigestAlgorithm[] {
  return digestAlgorithms.filter((algorithm) => !first.has(algorithm));
}

/** Names of parts are ours (`[overlay]`), names of files are theirs and may lie. */
function isNamed({ relation }: Task): boolean {
  return relation === 'root' || relation === 'file';
}

const emptyFile: Finding = {
  code: 'malformed/truncated',
  message: 'is empty',
  offset: 0,
  consequence: 'there is nothing to judge; a download may have failed',
  incomplete: true,
};

/** Regions that are read for what they are, and hold no files. */
const explainedRegions: ReadonlySet<string> = new Set([
  'header',
  'certificate table',
  'VERSIONINFO',
  'Inno Setup offset table',
  'Inno Setup program',
  'Inno Setup data',
  'Inno Setup files',
]);

/** From here on, bytes are compressed or encrypted rather than plain. */
const opaqueEntropyBits = 7;
const opaqueBytes = 4096;
const entropyBytes = 1 << 24;

/** An overlay of unknown, packed content may hold anything: that is said with its size and entropy. */
function reportOpaque(source: ByteSource, context: ReadContext): void {
  if (source.size < opaqueBytes) return;
  const entropy = measureEntropy(source, entropyBytes);
  if (entropy < opaqueEntropyBits) return;
  context.report({
    code: 'unsupported/format',
    message: `is ${source.size} bytes of unknown content behind the program (entropy ${entropy.toFixed(2)} of 8 bits a byte)`,
    offset: 0,
    consequence: 'it may be compressed or encrypted; nothing in it was opened',
    incomplete: true,
  });
}

const tooManyAnchors: Finding = {
  code: 'limit/count',
  message: 'holds more places where a regular expression might match than are tried',
  consequence: 'a telltale that rests on a regular expression may have been missed',
  incomplete: true,
};

const bundleCutOff: Finding = {
  code: 'unsupported/feature',
  message: 'lies in a container that was not read to its end',
  consequence: 'its seal was not checked, because files may be missing for that reason alone',
  incomplete: true,
};

const folderFormat = { id: 'folder', title: 'folder', nature: 'transport' } as const;

/** Not a format of bytes: several members of one container that are one program. */
const bundleFormat = { id: 'app-bundle', title: 'Apple bundle', nature: 'acting' } as const;

/** What an artifact is called whose bytes could not be had. */
const unknownFormat = { id: 'unread', title: 'not read', nature: 'passive' } as const;

function toTask(member: Member, container: Task, programs: readonly string[]): Task {
  const known = container.rename?.(member.name);
  const name = known ?? member.name;
  const facts = member.facts ?? [];
  return {
    name,
    path: container.path + pathSeparator + name,
    relation: member.relation,
    content: member.content,
    // The name that stands in the container itself is still worth knowing.
    facts: known === undefined ? facts : [...facts, { kind: 'memberName', value: member.name }],
    depth: container.depth + 1,
    programs,
    ...(member.relation === 'image' && container.isRecorded !== undefined
      ? { isRecorded: container.isRecorded }
      : {}),
    ...(container.listedAlgorithms === undefined ? {} : { listedAlgorithms: container.listedAlgorithms }),
    ...(member.rename === undefined ? {} : { rename: (inner: string) => member.rename?.(inner) }),
    ...(container.basket === undefined ? {} : { basket: container.basket }),
    ...toPassed(member.content, container.passing),
  };
}

function toPassed(
  content: MemberContent,
  passing: PassingMembers | undefined,
): { readonly passed?: PassedMember } {
  if (content.kind !== 'source' || content.containerOffset === undefined) return {};
  const passed = passing?.tryFind(content.containerOffset, content.source.size);
  return passed === undefined ? {} : { passed };
}

const nothingRead: Reading = { facts: [], regions: [] };
const unreadRest = 'what was unpacked before that place was searched, the rest was not';

const noDigests = new ArtifactDigests({});

/** The ledger was asked already; of members only what names them, or what a package states, is kept: there are many. */
function toKept({ relation, listedAlgorithms = [] }: Task, digests: Digests): Digests {
  if (relation === 'root') return digests;
  const kept = new Set<string>(['sha256', ...listedAlgorithms]);
  return Object.fromEntries(Object.entries(digests).filter(([algorithm]) => kept.has(algorithm)));
}

function toReporter(task: Task, problems: Problem[]): Report {
  return (finding) => {
    problems.push({ ...finding, path: task.path });
  };
}

/** The bytes of one artifact on their way: digested, searched, and kept while there is room. */
class Intake {
  readonly #digester: Digester;
  readonly #matcher: Matcher;
  readonly #room: number;
  /** Digests that are computed only when something asks for them. */
  readonly #later: readonly DigestAlgorithm[];
  readonly #digestLater: DigestLater;
  readonly #algorithms: ReadonlySet<DigestAlgorithm>;
  #passing: PassingMembers | undefined;
  /** Absent once more came than could be kept. */
  #kept: ByteGatherer | undefined;
  /** What cannot be read again is digested in full while it passes. */
  #rest: Digester | undefined;
  #size = 0;

  /**
   * @param algorithms - computed in any case
   * @param room - bytes that may be kept
   * @param expectedBytes - what the container promises
   * @param digestLater - reads the bytes once more
   */
  constructor(
    knowledge: Knowledge,
    algorithms: ReadonlySet<DigestAlgorithm>,
    room: number,
    expectedBytes: number | undefined,
    digestLater: DigestLater,
  ) {
    this.#algorithms = algorithms;
    this.#digester = new Digester([...algorithms]);
    this.#later = toLaterAlgorithms(knowledge, algorithms);
    this.#matcher = new Matcher(knowledge.compiled);
    this.#room = room;
    this.#kept = new ByteGatherer(Math.min(expectedBytes ?? 0, room));
    this.#digestLater = digestLater;
  }

  get size(): number {
    return this.#size;
  }

  /** Something of the database was found by now. */
  get hasHits(): boolean {
    return this.#matcher.hasHits;
  }

  /** More came than could be kept. */
  get isOverflown(): boolean {
    return this.#kept === undefined;
  }

  /** Digests and searches a chunk. */
  see(chunk: Uint8Array): void {
    this.#digester.update(chunk);
    if (this.#size === 0) this.#passing = this.#toPassing(chunk);
    this.#passing?.update(chunk);
    this.#matcher.update(chunk);
    this.#size += chunk.length;
  }

  /**
   * As {@link see}, and keeps the chunk while there is room.
   *
   * @param mayKeep - the chunk stays as it is after the call
   */
  keep(chunk: Uint8Array, mayKeep: boolean): void {
    this.see(chunk);
    if (this.#kept !== undefined && this.#size > this.#room) {
      this.#rest = new Digester(this.#later);
      for (const piece of this.#kept.gathered) this.#rest.update(piece);
      this.#kept = undefined;
      // Nothing in it will be opened.
      this.#passing = undefined;
    }
    this.#rest?.update(chunk);
    this.#kept?.add(chunk, mayKeep);
  }

  /** @param source - the bytes, when they can be read again; undefined when they could not be read to their end */
  finish(source: ByteSource | undefined): Contents {
    return {
      source,
      size: this.#size,
      digests: this.#finishDigests(source),
      hits: this.#matcher.finish(),
      bytesHeld: 0,
      passing: source === undefined ? undefined : this.#passing,
    };
  }

  #toPassing(start: Uint8Array): PassingMembers | undefined {
    // Most artifacts are small, and have no member that is worth it.
    if (start.length < passingBytesMin) return undefined;
    const layout = tryToStoredMembers(start.subarray(0, probedBytes));
    return layout && new PassingMembers(layout, this.#matcher, [...this.#algorithms]);
  }

  /** As {@link finish}, over the bytes that were kept. */
  finishKept(): Contents {
    if (this.#kept === undefined) return this.finish(undefined);
    const kept = this.#kept.finish();
    return { ...this.finish(kept), bytesHeld: kept.size };
  }

  #finishDigests(source: ByteSource | undefined): ArtifactDigests {
    if (source === undefined && this.#size === 0) return noDigests;
    const first = { ...this.#digester.finish(), ...this.#rest?.finish() };
    if (source === undefined || this.#later.length === 0) return new ArtifactDigests(first);
    return new ArtifactDigests(first, () => this.#digestLater(source, this.#later));
  }
}

/** A member that was poured, before it is examined. */
interface Poured {
  readonly task: Task;
  readonly problems: Problem[];
  readonly contents: Contents;
}

/** What one pass of a decoder poured. */
class Basin {
  readonly #container: Task;
  readonly #programs: readonly string[];
  readonly #members: Poured[] = [];
  /** Set when a limit was hit: nothing more is taken. */
  isClosed = false;

  constructor(container: Task, programs: readonly string[]) {
    this.#container = container;
    this.#programs = programs;
  }

  get members(): readonly Poured[] {
    return this.#members;
  }

  get holdsBytes(): boolean {
    return this.#members.some(({ contents }) => contents.bytesHeld > 0);
  }

  add(
    member: Omit<Member, 'content'>,
    declaredSize: number | undefined,
  ): { readonly task: Task; readonly report: Report; finish(contents: Contents): void } {
    const content: MemberContent = {
      kind: 'stream',
      open: () => toAsync([]),
      ...(declaredSize === undefined ? {} : { declaredSize }),
    };
    const task = toTask({ ...member, content }, this.#container, this.#programs);
    const problems: Problem[] = [];
    return {
      task,
      report: toReporter(task, problems),
      finish: (contents) => {
        this.#members.push({ task, problems, contents });
      },
    };
  }
}

async function* toAsync(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
