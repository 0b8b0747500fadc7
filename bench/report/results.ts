import { z } from 'zod';
import { measurementSchema } from '../measure/measured-run.ts';

/*
 * What a run of the benchmark leaves: everything that was measured, round by round. Tables, plots and the figures in
 * the documentation are made from this and from nothing else.
 */

const agreementSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('agreed'),
    common: z.number(),
    deeper: z.array(z.string()),
    basis: z.string(),
  }),
  z.object({ kind: z.literal('differs'), differences: z.array(z.string()), basis: z.string() }),
  z.object({ kind: z.literal('none'), reason: z.string() }),
]);

const targetSchema = z.object({
  /** Name of the subject that telltale is compared with. */
  against: z.string(),
  /** Wall time of telltale as a share of that of the other. */
  atMost: z.number(),
  /** How the target is put in words, where it is not a share of wall time. */
  text: z.string().optional(),
});

const subjectSchema = z.object({
  name: z.string(),
  /** The command, with the folders of the machine taken out. */
  command: z.string(),
  rounds: z.array(measurementSchema),
  /** Whether it found what telltale found; absent for telltale itself. */
  agreement: agreementSchema.optional(),
});

const comparisonSchema = z.object({
  id: z.string(),
  part: z.string(),
  title: z.string(),
  /** Bytes of the input as it is. */
  bytes: z.number(),
  /** Files, where the input is a folder. */
  files: z.number(),
  /** The first is the one that the others are compared with. */
  subjects: z.array(subjectSchema).min(1),
  targets: z.array(targetSchema),
  /** telltale takes at most so much memory. */
  peakBytesAtMost: z.number().optional(),
  /** What has to be known beside the figures, such as limits that telltale hit. */
  notes: z.array(z.string()),
});

const curveSchema = z.object({
  id: z.string(),
  part: z.string(),
  title: z.string(),
  /** What grows: `MB`, `members`. */
  unit: z.string(),
  series: z.array(
    z.object({
      name: z.string(),
      command: z.string(),
      points: z.array(z.object({ x: z.number(), rounds: z.array(measurementSchema) })),
    }),
  ),
  /** Time grows at most with this power. */
  exponentAtMost: z.number(),
  /** The peak at the largest x is at most so many times that at the smallest. */
  peakAtMost: z.number().optional(),
  notes: z.array(z.string()),
});

export const resultsSchema = z.object({
  schema: z.literal('telltale/bench/1'),
  date: z.string(),
  seconds: z.number(),
  command: z.string(),
  /** Made with inputs of a few megabytes: no figures to quote. */
  isQuick: z.boolean(),
  commit: z.string(),
  machine: z.object({
    processor: z.string(),
    cores: z.number(),
    memoryBytes: z.number(),
    system: z.string(),
    /** Load of the last minute, at the beginning and at the end. */
    loadBefore: z.number(),
    loadAfter: z.number(),
  }),
  tools: z.record(z.string(), z.string()),
  comparisons: z.array(comparisonSchema),
  curves: z.array(curveSchema),
  /** Parts that gave nothing, with the reason. */
  failures: z.array(z.object({ part: z.string(), kind: z.enum(['failed', 'left out']), reason: z.string() })),
});

export type Results = z.infer<typeof resultsSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type Curve = z.infer<typeof curveSchema>;
export type Subject = z.infer<typeof subjectSchema>;
export type Target = z.infer<typeof targetSchema>;
