import {
  ChartNoAxesColumn,
  FileCode,
  History,
  KeyRound,
  MessageSquare,
  ScanEye,
  Settings,
  ShieldQuestion,
  type LucideIcon,
} from 'lucide-react';

export interface Place {
  readonly to:
    | '/chat'
    | '/approvals'
    | '/scripts'
    | '/secrets'
    | '/activity'
    | '/usage'
    | '/capabilities'
    | '/settings';
  readonly label: string;
  readonly icon: LucideIcon;
  /** Stands in the phone's bottom bar; the others are under "More". */
  readonly inBar: boolean;
}

/** Where one can go, in the order of the rail. A place is listed when it exists, not before. */
export const PLACES: readonly Place[] = [
  { to: '/chat', label: 'Chat', icon: MessageSquare, inBar: true },
  { to: '/approvals', label: 'Approvals', icon: ShieldQuestion, inBar: true },
  { to: '/scripts', label: 'Scripts', icon: FileCode, inBar: false },
  { to: '/secrets', label: 'Secrets', icon: KeyRound, inBar: false },
  { to: '/activity', label: 'Activity', icon: History, inBar: true },
  { to: '/usage', label: 'Usage', icon: ChartNoAxesColumn, inBar: false },
  { to: '/capabilities', label: 'What it can do', icon: ScanEye, inBar: false },
  { to: '/settings', label: 'Settings', icon: Settings, inBar: false },
];
