import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { identityFiles } from '../api/queries.ts';
import type { IdentityFile } from '../api/types.ts';
import { Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { FileEditor } from './file-editor.tsx';

const route = getRouteApi('/app/settings/identity');

const FOR: Readonly<Record<string, string>> = {
  'SOUL.md': 'Who it is',
  'USER.md': 'Who you are',
  'MEMORY.md': 'What it remembers',
};

/** Settings → Identity: who the assistant is and what it remembers, with every version. */
export function IdentityPage() {
  const { file } = route.useSearch();
  const { data, error, refetch, isFetching } = useQuery(identityFiles);
  const chosen = file ?? 'SOUL.md';
  return (
    <Page
      wide
      title="Identity and memory"
      lead="What it is told about itself and about you, and what it has written down. SOUL.md, USER.md, MEMORY.md and the notes of today are part of each message. The last 200 versions of each are kept."
    >
      <div className="grid grid-cols-[208px_minmax(0,1fr)] gap-6 max-md:grid-cols-1">
        {error && !data ? (
          <Problem
            error={error}
            what="The files could not be listed."
            busy={isFetching}
            onRetry={() => void refetch()}
          />
        ) : !data ? (
          <SkeletonRows count={4} className="h-12" />
        ) : (
          <nav aria-label="Files" className="max-md:max-h-[232px] max-md:overflow-y-auto">
            <ul className="flex flex-col gap-0.5">
              {data.files.map((each) => (
                <li key={each.path}>
                  <Link
                    to="/settings/identity"
                    search={{ file: each.path }}
                    aria-current={each.path === chosen ? 'page' : undefined}
                    data-testid="identity-file"
                    data-path={each.path}
                    className="flex flex-col rounded-md px-2 py-1.5 hover:bg-hover aria-[current=page]:bg-selected"
                  >
                    <span className="truncate font-medium">{nameOf(each)}</span>
                    <span className="truncate text-mini text-muted">
                      {each.modified ? (
                        <>
                          {each.path}, <Time iso={each.modified} />
                        </>
                      ) : (
                        `${each.path}, not there`
                      )}
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
        )}
        <FileEditor key={chosen} path={chosen} />
      </div>
    </Page>
  );
}

function nameOf({ path }: IdentityFile): string {
  return FOR[path] ?? path.replace(/^memory\//, '').replace(/\.md$/, '');
}
