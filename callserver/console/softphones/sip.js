// JsSIP, for a house's own exchange: /assets/…/vendor/sip.js
import JsSIP from "jssip";
export const { UA, WebSocketInterface } = JsSIP;
