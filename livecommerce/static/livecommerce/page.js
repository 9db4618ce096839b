/** What every page does. */

import "./local-times.js";
import "./once.js";
import "./keep-typed.js";
import "../offline/forget.js";
