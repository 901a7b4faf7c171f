"""What operators and autoscalers see: metrics and KEDA's scaler."""
