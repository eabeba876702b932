import { Menu } from '@base-ui/react/menu';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { download, explain } from '../api/client.ts';
import type { AuditExportFormat } from '../api/types.ts';
import { Button } from '../ui/button.tsx';

const FORMATS = [
  { format: 'jsonl', label: 'JSON Lines', note: 'Every character, to check the hashes again' },
  { format: 'csv', label: 'CSV', note: 'For a spreadsheet; no cell is a formula' },
] as const;

/** The log as a file: what the filter shows, or everything. */
export function ExportMenu({ filter }: { readonly filter: string }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  async function save(format: AuditExportFormat) {
    setProblem(null);
    setBusy(true);
    try {
      const query = `format=${format}${filter === '' ? '' : `&${filter}`}`;
      await download(`/api/audit/export?${query}`, `openpact-audit.${format}`);
    } catch (error) {
      setProblem(explain(error).message);
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className="flex shrink-0 flex-col items-end gap-1">
      <Menu.Root>
        <Menu.Trigger
          render={
            <Button busy={busy} icon={<Download aria-hidden size={16} />} data-testid="audit-export">
              {filter === '' ? 'Export' : 'Export these'}
            </Button>
          }
        />
        <Menu.Portal>
          <Menu.Positioner className="z-50 outline-none" sideOffset={4} align="end">
            <Menu.Popup className="min-w-[208px] rounded-md border border-line bg-raised p-1 shadow-pop outline-none">
              {FORMATS.map(({ format, label, note }) => (
                <Menu.Item
                  key={format}
                  data-testid={`audit-export-${format}`}
                  onClick={() => void save(format)}
                  className="flex cursor-default flex-col rounded-sm px-2 py-1.5 text-body outline-none select-none data-highlighted:bg-hover max-md:py-2.5"
                >
                  {label}
                  <span className="text-mini text-muted">{note}</span>
                </Menu.Item>
              ))}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {problem && (
        <p role="alert" className="text-meta text-stop">
          {problem}
        </p>
      )}
    </div>
  );
}
