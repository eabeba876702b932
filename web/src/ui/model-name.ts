/** One name for a model of a provider, such as a list of choices needs it. */
export function modelName({
  provider,
  model,
}: {
  readonly provider: string;
  readonly model: string;
}): string {
  return `${provider}/${model}`;
}
