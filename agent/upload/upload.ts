export interface UploadStatus {
  readonly state: 'idle' | 'uploading' | 'waiting';
  readonly clipId: string | null;
  /** What the last failed upload said. */
  readonly detail: string | null;
}

/** Carries sealed clips to Blob Storage, and asks for verdicts that never came. */
export interface Uploader {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Something was sealed, or the link is back: look now. */
  wake(): void;
  status(): UploadStatus;
}
