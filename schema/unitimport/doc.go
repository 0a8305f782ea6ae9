// Package unitimport turns unit files, drop-ins, links and directories of them
// into HCL text that compiles back to the same meaning.
//
// It takes paths and gives the text of *.ug.hcl files, unit files that are kept
// verbatim because HCL cannot say them, and notes on what was changed or left
// out. It knows the spelling of the language, not how it is evaluated, and
// writes no file itself.
package unitimport
