/** Tokens in full: they are compared. */
export function tokens(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function money(usd: number): string {
  if (usd > 0 && usd < 0.01) return usd < 0.0001 ? 'under $0.0001' : `$${usd.toFixed(4)}`;
  return `$${usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

const DAY_MS = 86_400_000;

/** The day in UTC, as the server counts. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

export function daysBefore(day: string, count: number): string {
  return new Date(Date.parse(day) - count * DAY_MS).toISOString().slice(0, 10);
}

export function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const ms = Date.parse(value);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value);
}

/** Both ends included; at most 366. */
export function daysOf(from: string, to: string): readonly string[] {
  const days: string[] = [];
  for (let ms = Date.parse(from); ms <= Date.parse(to) && days.length < 366; ms += DAY_MS) {
    days.push(new Date(ms).toISOString().slice(0, 10));
  }
  return days;
}
