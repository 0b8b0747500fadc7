/** Sees the bytes of every artifact that could be read; for whoever wants more than digests and patterns of them. */
export interface ArtifactObserver {
  /**
   * An artifact, before its members.
   *
   * @param path - nested path; several artifacts of one container may have the same
   * @param format - id of its format
   * @returns where its bytes go; undefined when they are of no interest
   */
  begin(path: string, format: string): ArtifactTap | undefined;
}

/** Takes the bytes of one artifact, in order. */
export interface ArtifactTap {
  /** @param chunk - only valid during the call: whoever keeps it copies it */
  update(chunk: Uint8Array): void;
  /** No more bytes come. When reading failed half way, the artifact has a problem that says so. */
  finish(): void;
}
