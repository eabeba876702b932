export function Brand({ size = 20 }: { readonly size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden className="shrink-0">
      <rect width="32" height="32" rx="8" className="fill-ink" />
      <path
        d="M13 8.5h-1.5a4 4 0 0 0-4 4v7a4 4 0 0 0 4 4H13M19 8.5h1.5a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4H19"
        className="stroke-canvas"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="16" cy="16" r="2.8" className="fill-canvas" />
    </svg>
  );
}
