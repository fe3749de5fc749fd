// The date of a notice as it is written.

import { date, dateTime } from "../texts.js";

export const whenOf = ({ kind, at }) => (kind === "talk" ? dateTime(at) : date(at));
