import { Menu } from '@base-ui/react/menu';
import { Download, Ellipsis, Pencil, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { download, explain } from '../api/client.ts';
import type { ConversationExportFormat } from '../api/types.ts';
import { IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';

/** What can be done with a conversation as a whole. */
export function ConversationMenu({
  id,
  title,
  onRename,
  onDelete,
}: {
  readonly id: string;
  readonly title: string;
  readonly onRename: () => void;
  readonly onDelete: () => void;
}) {
  const [problem, setProblem] = useState<string | null>(null);
  async function save(format: ConversationExportFormat) {
    setProblem(null);
    try {
      await download(
        `/api/sessions/${encodeURIComponent(id)}/export?format=${format}`,
        `${fileName(title)}.${format === 'json' ? 'json' : 'md'}`,
      );
    } catch (error) {
      setProblem(`It could not be exported: ${explain(error).message}`);
    }
  }
  return (
    <>
      {problem && (
        <p role="alert" className="min-w-0 truncate text-meta text-stop" title={problem}>
          {problem}
        </p>
      )}
      <Menu.Root>
        <Menu.Trigger
          render={
            <IconButton label="More about this conversation" data-testid="conversation-menu">
              <Ellipsis aria-hidden size={16} />
            </IconButton>
          }
        />
        <Menu.Portal>
          <Menu.Positioner className="z-50 outline-none" sideOffset={4} align="end">
            <Menu.Popup className="min-w-[208px] rounded-md border border-line bg-raised p-1 shadow-pop outline-none">
              <Item testId="conversation-rename" icon={<Pencil aria-hidden size={14} />} onClick={onRename}>
                Rename
              </Item>
              <Item
                testId="export-markdown"
                icon={<Download aria-hidden size={14} />}
                onClick={() => void save('markdown')}
              >
                Export as Markdown
              </Item>
              <Item
                testId="export-json"
                icon={<Download aria-hidden size={14} />}
                onClick={() => void save('json')}
              >
                Export as JSON
              </Item>
              <Item
                testId="conversation-menu-delete"
                icon={<Trash2 aria-hidden size={14} />}
                onClick={onDelete}
                className="text-stop"
              >
                Delete
              </Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </>
  );
}

function Item({
  icon,
  onClick,
  testId,
  className,
  children,
}: {
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly testId: string;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  return (
    <Menu.Item
      data-testid={testId}
      onClick={onClick}
      className={cx(
        'flex h-8 cursor-default items-center gap-2 rounded-sm px-2 text-body outline-none select-none data-highlighted:bg-hover max-md:h-10',
        className,
      )}
    >
      {icon}
      {children}
    </Menu.Item>
  );
}

/** What every file system takes. */
function fileName(title: string): string {
  const plain = title.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-+|-+$/g, '');
  return plain.slice(0, 60) || 'conversation';
}
