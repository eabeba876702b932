export interface SourceStamps {
  readonly program: string;
  readonly page: string;
}
export function sourceStamps(root: string): SourceStamps;
