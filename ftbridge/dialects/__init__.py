"""Wire families that several vendors speak. A dialect knows shapes, no vendor's address."""
