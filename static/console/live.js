// The live stream's browser side; pages listen for live:event, live:state, live:resync and live:inbox on `document`.
export {};
