import type { PickerItem } from '../ui/picker.tsx';

/** The browser's own timezone; UTC when it doesn't say. */
export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** Every timezone the browser knows, its own among them, with the offset of today. */
export function timezones(): readonly PickerItem[] {
  const names = new Set(Intl.supportedValuesOf('timeZone'));
  names.add('UTC');
  names.add(browserZone());
  return [...names]
    .sort()
    .map((value) => ({ value, label: value.replaceAll('_', ' '), note: offset(value) }));
}

function offset(zone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    timeZoneName: 'shortOffset',
  }).formatToParts();
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}
