export { DEMO_MODEL } from './demo-model.ts';
export { createDemoSend } from './demo-send.ts';
