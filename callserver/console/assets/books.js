// The page of the house's books.

import { $ } from "./dom.js";
import { shelf } from "./phone/shelf.js";

await shelf($("#shelf"));
