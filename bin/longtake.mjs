#!/usr/bin/env node
// Runs the command line's TypeScript sources directly; tsx is a dependency for this.
import { register } from 'tsx/esm/api';

register();
await import('../src/cli/main.ts');
