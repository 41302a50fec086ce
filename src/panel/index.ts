import addOnUISdk from 'https://new.express.adobe.com/static/add-on-sdk/sdk.js';
import type { LongtakePanel } from './components/longtake-panel.ts';
import './components/longtake-panel.ts';
import { ExpressHost } from './hosts/express.ts';

/** The add-on's page: the panel on the Express host. */
const panel = document.createElement('longtake-panel') as LongtakePanel;
panel.host = new ExpressHost(addOnUISdk);
document.body.append(panel);
