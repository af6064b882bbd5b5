"""The live renderer: newest request only, on the fastest precision, without Qt."""
