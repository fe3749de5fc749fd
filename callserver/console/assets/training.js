// Training: what I read and sign.

import { unlessUnreachable } from "./api.js";
import { refresh } from "./training/reading.js";

await unlessUnreachable(refresh());
