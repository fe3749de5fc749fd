// JsSIP, for the organisation's own exchange: built into /assets/…/vendor/sip.js
import JsSIP from "jssip";
export const { UA, WebSocketInterface } = JsSIP;
