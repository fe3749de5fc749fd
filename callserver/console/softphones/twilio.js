// Twilio's SDK: built into /assets/…/vendor/twilio.js
export { Device } from "@twilio/voice-sdk";
