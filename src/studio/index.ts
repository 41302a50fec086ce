import './elements/longtake-studio.ts';
import { Studio } from './studio.ts';

const studio = new Studio();
const element = document.createElement('longtake-studio');
element.studio = studio;
document.body.append(element);
void studio.open();
