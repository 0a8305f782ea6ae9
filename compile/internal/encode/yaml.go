package encode

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"gopkg.in/yaml.v3"
)

// YAML writes a value as block-style YAML 1.2 with a final newline. Strings
// that a YAML 1.1 reader would take for something else ("yes", "1:30",
// "0o17") are quoted.
func YAML(v cty.Value) ([]byte, error) {
	n, err := yamlNode(v, nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, &Error{"YAML", nil, err.Error()}
	}
	if err := enc.Close(); err != nil {
		return nil, &Error{"YAML", nil, err.Error()}
	}
	return b.Bytes(), nil
}

func yamlNode(v cty.Value, path cty.Path) (*yaml.Node, error) {
	if err := writable("YAML", v, path); err != nil {
		return nil, err
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case ty == cty.String:
		return yamlString(v.AsString(), path)
	case ty == cty.Number:
		tag := "!!int"
		if !v.AsBigFloat().IsInt() {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: number(v.AsBigFloat())}, nil
	case ty == cty.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v.True())}, nil
	case isSequence(ty):
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if v.LengthInt() == 0 {
			n.Style = yaml.FlowStyle
		}
		i := int64(0)
		for it := v.ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			c, err := yamlNode(e, append(path, cty.IndexStep{Key: cty.NumberIntVal(i)}))
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, c)
		}
		return n, nil
	case isMapping(ty):
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if v.LengthInt() == 0 {
			n.Style = yaml.FlowStyle
		}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			kn, err := yamlString(k.AsString(), path)
			if err != nil {
				return nil, err
			}
			c, err := yamlNode(e, append(path, cty.GetAttrStep{Name: k.AsString()}))
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, kn, c)
		}
		return n, nil
	}
	return nil, &Error{"YAML", path.Copy(), "it is a " + ty.FriendlyName()}
}

func yamlString(s string, path cty.Path) (*yaml.Node, error) {
	if !utf8.ValidString(s) {
		return nil, &Error{"YAML", path.Copy(), "it is no valid UTF-8"}
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case plainSafe(s):
	case literalSafe(s):
		n.Style = yaml.LiteralStyle
	default:
		n.Style = yaml.DoubleQuotedStyle
	}
	return n, nil
}

// literalSafe reports whether a string reads back from a literal block.
func literalSafe(s string) bool {
	if !strings.Contains(strings.TrimSuffix(s, "\n"), "\n") {
		return false
	}
	if s[0] == ' ' || s[0] == '\n' || s[0] == '\t' {
		return false
	}
	for _, r := range s {
		if r != '\n' && !unicode.IsPrint(r) {
			return false
		}
	}
	for _, line := range strings.Split(s, "\n") {
		if strings.TrimRight(line, " ") != line {
			return false
		}
	}
	return true
}

// plainSafe reports whether a string may stand without quotes under the rules
// of YAML 1.1 and 1.2 alike.
func plainSafe(s string) bool {
	if s == "" {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "true", "false", "on", "off", "null":
		return false
	}
	c := s[0]
	if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/' || c == '_') {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("/_-.,+@%=", c) >= 0:
		case c == ' ' && i < len(s)-1 && s[i+1] != ' ' && s[i+1] != '#':
		case c == ':' && i < len(s)-1 && s[i+1] != ' ':
		default:
			return false
		}
	}
	return true
}
