// Twilio's softphone, as our pages import it: /assets/…/vendor/twilio.js
export { Device } from "@twilio/voice-sdk";
