// The worker as a Container Apps job that watches the queue: it starts when there is a request, and costs nothing
// otherwise. A request stays in the queue, hidden, until it is done, and the scaler counts it: one worker for each five.
param name string
param location string
param image string
param registryServer string
param identityId string
param identityClientId string
param clipsName string
param workspaceName string

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: '${name}-workers'
  location: location
  properties: { appLogsConfiguration: { destination: 'azure-monitor' } }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource job 'Microsoft.App/jobs@2024-10-02-preview' = {
  name: '${name}-yolo'
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environment.id
    configuration: {
      triggerType: 'Event'
      // Longer than the longest clip takes; the worker gives back what it holds when it is told to end.
      replicaTimeout: 1800
      replicaRetryLimit: 0
      registries: [{ server: registryServer, identity: identityId }]
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: 4
          pollingInterval: 10
          rules: [
            {
              name: 'requests'
              type: 'azure-queue'
              identity: identityId
              metadata: { accountName: clips.name, queueName: 'video-to-processing', queueLength: '5' }
            }
          ]
        }
      }
    }
    template: {
      containers: [
        {
          name: 'yolo'
          image: image
          resources: { cpu: json('2'), memory: '4Gi' }
          env: [
            { name: 'DACHA_STORAGE_ACCOUNT_URL_BLOB', value: clips.properties.primaryEndpoints.blob }
            { name: 'DACHA_STORAGE_ACCOUNT_URL_QUEUE', value: clips.properties.primaryEndpoints.queue }
            { name: 'AZURE_CLIENT_ID', value: identityClientId }
            // A job that waits costs as much as one that works, and the next one is started by the queue.
            { name: 'DACHA_WORKER_IDLE_MS', value: '10000' }
          ]
        }
      ]
    }
  }
}
